// The program under test, and other programs, run to their end.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { within } from "./deadline.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));

function findBinary() {
  const places = process.env.SATCHEL
    ? [process.env.SATCHEL]
    : ["build/dev/satchel", "build/release/satchel"].map((path) => join(root, path));
  const found = places.find((path) => existsSync(path));
  if (!found)
    throw new Error(`no satchel binary at ${places.join(" or ")}: build it, or set SATCHEL`);
  return found;
}

export const satchelBinary = findBinary();

// What the person at the keyboard has set must not leak into a test.
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(SATCHEL|LINQ)_/.test(name));
  return { ...Object.fromEntries(kept), NO_PROXY: "127.0.0.1,localhost", ...extra };
}

// A folder that is gone after the test.
export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "satchel-e2e-"));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

// Runs a program to its end: { code, signal, stdout, stderr }. stdout is text unless `binary`.
export async function run(
  program,
  args,
  { input, env, cwd, binary = false, deadlineMs = 60_000 } = {},
) {
  const child = spawn(program, args, { env: cleanEnvironment(env), cwd });
  const out = [];
  const err = [];
  child.stdout.on("data", (bytes) => out.push(bytes));
  child.stderr.on("data", (bytes) => err.push(bytes));
  child.stdin.on("error", () => {}); // The program may end before it has read everything.
  child.stdin.end(input);
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  try {
    const { code, signal } = await within(ended, {
      what: `${program} ${args.join(" ")}`,
      deadlineMs,
    });
    const stdout = Buffer.concat(out);
    return {
      code,
      signal,
      stdout: binary ? stdout : stdout.toString(),
      stderr: Buffer.concat(err).toString(),
    };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

// `satchel ARGS`: { code, stdout, stderr }.
export function satchel(args, options) {
  return run(satchelBinary, args, options);
}

// `satchel ARGS --json` that must succeed: what it printed, parsed.
export async function satchelJson(args, options) {
  const result = await satchel([...args, "--json"], options);
  if (result.code !== 0) {
    throw new Error(`satchel ${args.join(" ")} --json ended with ${result.code}: ${result.stderr}`);
  }
  return JSON.parse(result.stdout);
}
