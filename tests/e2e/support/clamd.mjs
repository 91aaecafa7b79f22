// A real ClamAV daemon with two signatures of our own: no download, a fraction of a second to
// start.

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";

import { until, within } from "./deadline.mjs";
import { temporaryFolder } from "./program.mjs";

// Every scanner finds this file, and it does no harm. In two pieces, so that none finds ours.
export const eicar = Buffer.from(
  ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-", "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join(""),
);
// The daemon finds this anywhere in a file, in archives too.
export const marker = "SATCHEL-E2E-TEST-MARKER";

// One command, its answer; undefined if nobody answers.
function ask(path, command) {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write(`n${command}\n`));
    let answer = "";
    socket.on("data", (bytes) => (answer += bytes));
    socket.on("end", () => resolve(answer.trim()));
    socket.on("error", () => resolve(undefined));
  });
}

export class Clamd {
  // It listens on `socket`, and on a port if there is one.
  constructor(t, port) {
    this.folder = temporaryFolder(t);
    this.socket = join(this.folder, "socket");
    const database = join(this.folder, "db");
    mkdirSync(database);
    // MD5:size:name of a whole file; name:target:offset:hex of what stands in one.
    const digest = "44d88612fea8a8f36de82e1278abb02f";
    writeFileSync(join(database, "own.hdb"), `${digest}:${eicar.length}:Eicar-Test-File\n`);
    const hex = Buffer.from(marker).toString("hex");
    writeFileSync(join(database, "own.ndb"), `Satchel-Test-Marker:0:*:${hex}\n`);
    this.settings = join(this.folder, "clamd.conf");
    const lines = [
      "Foreground yes",
      `User ${userInfo().username}`,
      `LocalSocket ${this.socket}`,
      "FixStaleSocket yes",
      `DatabaseDirectory ${database}`,
      `TemporaryDirectory ${this.folder}`,
      "StreamMaxLength 101M",
      "MaxScanSize 101M",
      "MaxFileSize 101M",
      "MaxThreads 4",
    ];
    if (port) lines.push("TCPAddr 127.0.0.1", `TCPSocket ${port}`);
    writeFileSync(this.settings, `${lines.join("\n")}\n`);
  }

  // A daemon that ends with the test.
  static async start(t, port) {
    const clamd = new Clamd(t, port);
    t.after(() => clamd.stop());
    await clamd.run();
    return clamd;
  }

  async run() {
    const path = `${process.env.PATH}:/usr/sbin`;
    this.child = spawn("clamd", [`--config-file=${this.settings}`], {
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.output = "";
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (bytes) => (this.output += bytes));
    }
    this.ended = new Promise((resolve) => {
      this.child.on("error", resolve);
      this.child.on("close", resolve);
    });
    await until(
      async () => {
        if (this.child.exitCode !== null) throw new Error(`clamd ended: ${this.output}`);
        return (await ask(this.socket, "PING")) === "PONG";
      },
      { what: "clamd's answer", deadlineMs: 30_000 },
    );
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await within(this.ended, { what: "end of clamd" });
  }
}
