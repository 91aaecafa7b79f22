// Debian's nginx, with what a test puts into its `http` block.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

import { until } from "./deadline.mjs";
import { request } from "./http_client.mjs";
import { temporaryFolder } from "./program.mjs";

// Debian's folder of programs for the system is not in everybody's PATH.
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

function wholeConfiguration(folder, http) {
  const { username, uid } = userInfo();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((each) => `${each}_temp_path ${folder}/temporary;`)
    .join(" ");
  return `${uid === 0 ? `user ${username} root;` : ""}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events {}
http {
  access_log off;
  ${temporary}
  ${http}
}
`;
}

// Runs until the test's end. `port`: where `http` makes it listen.
export async function startNginx(t, port, http) {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "temporary"));
  const config = join(folder, "nginx.conf");
  const log = join(folder, "error.log");
  writeFileSync(config, wholeConfiguration(folder, http));
  const args = ["-p", folder, "-c", config, "-e", log];
  const child = spawn("nginx", args, { env: environment, stdio: "ignore" });
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  ended.catch(() => {});
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const origin = `http://127.0.0.1:${port}`;
  const answers = async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended:\n${readFileSync(log, "utf8")}`);
    return request(origin).catch(() => undefined);
  };
  await until(answers, { what: "nginx" });
  return { origin };
}
