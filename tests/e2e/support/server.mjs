// A running `satchel dev` (or `serve`) with its own folder and its own ports.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { until, within } from "./deadline.mjs";
import { cleanEnvironment, satchelBinary, temporaryFolder } from "./program.mjs";
import { request } from "./http_client.mjs";
import { PartnerApi } from "./partner_api.mjs";

const startMs = 30_000;
const stopMs = 30_000;
const logTailBytes = 4000;

const promisedVariables = [
  "LINQ_API_V3_BASE_URL",
  "LINQ_API_URL",
  "LINQ_API_V3_API_KEY",
  "LINQ_TOKEN",
  "LINQ_FROM_PHONE",
  "SATCHEL_PARTNER_ID",
  "SATCHEL_ADMIN_URL",
  "SATCHEL_ADMIN_TOKEN",
];

export function readEnvironmentFile(path) {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

// A satchel process. Whoever starts one gets it stopped, with exit code 0, at the test's end.
export class SatchelProcess {
  constructor(args, env = {}) {
    this.output = "";
    this.child = spawn(satchelBinary, args, {
      env: cleanEnvironment(env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (bytes) => {
        this.output += bytes;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => resolve({ code, signal }));
    });
    this.ended.catch(() => {});
  }

  get running() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid() {
    return this.child.pid;
  }

  logTail() {
    return this.output.slice(-logTailBytes);
  }

  // What it has logged of one kind.
  events(name) {
    const lines = this.output.split("\n").slice(0, -1);  // The last may lack its end.
    return lines
      .filter((line) => line.includes(`"event":"${name}"`))
      .map((line) => JSON.parse(line));
  }

  // Waits until `condition` holds while the process lives.
  async started(condition, what) {
    try {
      return await until(
        async () => {
          if (!this.running) throw new Error(`satchel ended before: ${what}`);
          return condition();
        },
        { what, deadlineMs: startMs },
      );
    } catch (error) {
      this.child.kill("SIGKILL");
      throw new Error(`${error.message}\n${this.logTail()}`);
    }
  }

  // Asks it to end and gives how it did.
  async terminate(signal = "SIGTERM") {
    if (this.running) this.child.kill(signal);
    return within(this.ended, { what: `end of satchel\n${this.logTail()}`, deadlineMs: stopMs });
  }

  // Ends it gracefully; anything but exit code 0 (a sanitizer's finding too) is an error.
  async stop() {
    const { code, signal } = await this.terminate();
    assert.equal(code ?? signal, 0, `satchel ended badly:\n${this.logTail()}`);
  }

  async kill9() {
    this.child.kill("SIGKILL");
    await within(this.ended, { what: "end after SIGKILL", deadlineMs: stopMs });
  }
}

export class DevServer extends SatchelProcess {
  constructor(folder, args, env) {
    const environmentFile = join(folder, "..", `${folder.split("/").pop()}.env`);
    rmSync(environmentFile, { force: true });
    super(["dev", "--port", "0", "--data", folder, "--env-file", environmentFile, ...args], env);
    this.folder = folder;
    this.environmentFile = environmentFile;
  }

  async becomeReady() {
    const variables = await this.started(() => {
      let read;
      try {
        read = readEnvironmentFile(this.environmentFile);
      } catch (error) {
        if (error.code === "ENOENT") return undefined;
        throw error;
      }
      return promisedVariables.every((name) => read[name]) && read;
    }, "environment file with every promised variable");
    this.variables = variables;
    this.key = variables.LINQ_API_V3_API_KEY;
    this.partnerId = variables.SATCHEL_PARTNER_ID;
    this.adminUrl = variables.SATCHEL_ADMIN_URL;
    this.adminToken = variables.SATCHEL_ADMIN_TOKEN;
    this.baseUrl = variables.LINQ_API_V3_BASE_URL; // http://127.0.0.1:PORT/api/partner
    const url = new URL(this.baseUrl);
    this.origin = url.origin;
    this.port = Number(url.port);
    this.api = new PartnerApi(this.baseUrl, this.key);
  }

  admin(method, path, body) {
    return request(this.adminUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  async advanceClock(seconds) {
    const answer = await this.admin("POST", "/admin/v1/clock", { advance_seconds: seconds });
    assert.ok(
      answer.status >= 200 && answer.status < 300,
      `clock: ${answer.status} ${answer.body}`,
    );
  }
}

// Starts `satchel dev` on a free port and waits until it serves. `data`: an existing folder to
// go on with; without it a new one.
export async function startDev(t, { data, args = [], env = {} } = {}) {
  const folder = data ?? join(temporaryFolder(t), "data");
  const server = new DevServer(folder, args, env);
  t.after(() => server.running && server.stop());
  await server.becomeReady();
  return server;
}
