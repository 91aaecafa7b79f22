// Backups of a store and what is asked of them.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { satchel, satchelJson } from "./program.mjs";
import { request } from "./http_client.mjs";

const commandMs = 300_000;

export function backUp(folder, dataFolder) {
  return satchelJson(["backup", folder, "--data", dataFolder], { deadlineMs: commandMs });
}

export function restore(folder, dataFolder, ...options) {
  return satchel(["restore", folder, "--data", dataFolder, "--json", ...options], {
    deadlineMs: commandMs,
  });
}

// Restores and gives what was printed; anything but success is an error.
export async function restored(folder, dataFolder, ...options) {
  const result = await restore(folder, dataFolder, ...options);
  assert.equal(result.code, 0, result.stderr + result.stdout);
  return JSON.parse(result.stdout);
}

// A new data folder that has nothing but the master key of another.
export function folderWithKeyOf(dataFolder, folder) {
  mkdirSync(folder, { mode: 0o700 });
  copyFileSync(join(dataFolder, "master.key"), join(folder, "master.key"));
  return folder;
}

export async function fsckIsClean(dataFolder) {
  const result = await satchel(["fsck", "--data", dataFolder, "--json"], { deadlineMs: commandMs });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  return JSON.parse(result.stdout);
}

// The URL of an attachment's bytes, as the API gives it.
export async function downloadUrl(server, id) {
  const answer = await server.api.call("GET", `/v3/attachments/${id}`);
  assert.equal(answer.status, 200, String(answer.body));
  return JSON.parse(answer.body.toString()).download_url;
}

export async function download(server, id) {
  const answer = await request(await downloadUrl(server, id));
  assert.equal(answer.status, 200);
  return answer.body;
}
