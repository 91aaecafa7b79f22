// Backups of a running server, and stores made of them.

import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import {
  backUp,
  download,
  folderWithKeyOf,
  fsckIsClean,
  restore,
  restored,
} from "./support/backups.mjs";
import { filesIn, findInFiles, modeOf, query } from "./support/data_folder.mjs";
import { satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 300_000 };

const contentOf = (name) => seededBytes(20_000 + name.length, name);

async function uploadSome(server, prefix, count) {
  const ids = [];
  for (let index = 0; index < count; index += 1) {
    const filename = `${prefix}-${index}.txt`;
    const created = await server.api.upload({
      filename,
      contentType: "text/plain",
      bytes: contentOf(filename),
    });
    ids.push({ id: created.attachment_id, filename });
  }
  return ids;
}

async function assertReadable(server, attachments) {
  for (const { id, filename } of attachments) {
    assert.deepEqual(await download(server, id), contentOf(filename), filename);
  }
}

async function assertGone(server, attachments) {
  for (const { id } of attachments) assert.equal((await server.api.get(id)).status, 404, id);
}

async function deleteAll(server, attachments) {
  for (const { id } of attachments) assert.equal((await server.api.delete(id)).status, 204);
}

// What of an attachment stands in a store's files: its sealed key, its sealed name, its blob's id.
async function tracesOf(dataFolder, { id }) {
  const hex = id.replaceAll("-", "");
  const [row] = await query(
    dataFolder,
    `SELECT hex(k.sealed) AS key, hex(a.sealed_name) AS name, hex(a.blob) AS blob
       FROM attachments a JOIN attachment_keys k ON k.slot = a.key_slot WHERE a.id = x'${hex}'`,
  );
  // A slot is its length, the wrapped key and zeros.
  const slot = Buffer.from(row.key, "hex");
  return [
    slot.subarray(1, 1 + slot[0]),
    Buffer.from(row.name, "hex"),
    Buffer.from(row.blob, "hex"),
  ];
}

function blobFile(dataFolder, blobHex) {
  const id = blobHex
    .toLowerCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return join(dataFolder, "blobs", id.slice(0, 2), id);
}

test("a backup of a running server is the whole store, on another machine too", limit, async (t) => {
  const folder = temporaryFolder(t);
  const server = await startDev(t);
  const kept = await uploadSome(server, "kept", 8);
  const report = await backUp(join(folder, "backup"), server.folder);
  assert.equal(report.attachments, 8);
  assert.equal(report.copied_blobs, report.blobs);
  assert.deepEqual(report.lost, []);
  assert.ok(!existsSync(join(folder, "backup", "master.key")));
  assert.deepEqual(
    findInFiles(join(folder, "backup"), [
      readFileSync(join(server.folder, "master.key")).subarray(-20),
    ]),
    [],
  );
  assert.equal(modeOf(join(folder, "backup")), 0o700);
  for (const file of filesIn(join(folder, "backup"))) {
    assert.equal(modeOf(join(folder, "backup", file)), 0o600, file);
  }
  const ledger = join(folder, "ledger.jsonl");
  writeFileSync(ledger, (await satchel(["audit", "export", "--data", server.folder])).stdout);
  await server.stop();

  const elsewhere = folderWithKeyOf(server.folder, join(folder, "elsewhere"));
  const outcome = await restored(join(folder, "backup"), elsewhere, "--ledger", ledger);
  assert.equal(outcome.restored, true);
  assert.equal(outcome.attachments, 8);
  await fsckIsClean(elsewhere);
  const second = await startDev(t, { data: elsewhere });
  assert.equal(second.key, server.key);
  await assertReadable(second, kept);
});

test("what was deleted after the backup stays deleted, and leaves no trace", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const before = await uploadSome(server, "before", 2);
  await deleteAll(server, before);
  const kept = await uploadSome(server, "kept", 3);
  const deleted = await uploadSome(server, "deleted", 3);
  const traces = await Promise.all(deleted.map((each) => tracesOf(server.folder, each)));
  await backUp(backup, server.folder);
  const blobNames = traces.map(([, , blob]) => blobFile("", blob.toString("hex")));
  for (const name of blobNames) assert.ok(existsSync(join(backup, name)), name);
  await deleteAll(server, deleted);
  const later = await uploadSome(server, "later", 1);
  await deleteAll(server, later);
  const head = join(folder, "head.jsonl");
  writeFileSync(head, (await satchel(["audit", "head", "--data", server.folder])).stdout);
  await server.stop();

  const outcome = await restored(backup, server.folder, "--replace");
  assert.equal(outcome.ledger.entries, 4);
  assert.equal(outcome.ledger.deleted, 3);
  for (const path of outcome.replaced) {
    assert.ok(existsSync(path), path);
    rmSync(path, { recursive: true });
  }
  assert.deepEqual(findInFiles(server.folder, traces.flat()), []);
  for (const name of blobNames) assert.ok(!existsSync(join(server.folder, name)), name);
  await fsckIsClean(server.folder);
  const verified = await satchel(["audit", "verify", "--data", server.folder, "--head", head]);
  assert.equal(verified.code, 0, verified.stderr);
  const again = await startDev(t, { data: server.folder });
  await assertReadable(again, kept);
  await assertGone(again, [...before, ...deleted, ...later]);
  const listed = await satchelJson(["audit", "list", "--data", server.folder]);
  assert.deepEqual(
    listed.map((entry) => entry.attachment_id),
    [...before, ...deleted, ...later].map(({ id }) => id),
  );
});

test("a refreshed backup copies what is new and drops what was deleted", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const kept = await uploadSome(server, "kept", 2);
  const deleted = await uploadSome(server, "deleted", 2);
  const traces = await Promise.all(deleted.map((each) => tracesOf(server.folder, each)));
  await backUp(backup, server.folder);
  assert.notDeepEqual(findInFiles(backup, traces.flat()), []);
  await deleteAll(server, deleted);
  const more = await uploadSome(server, "more", 3);

  const report = await backUp(backup, server.folder);
  assert.equal(report.copied_blobs, 3);
  assert.equal(report.removed_blobs, 2);
  assert.equal(report.attachments, 5);
  assert.deepEqual(findInFiles(backup, traces.flat()), []);
  const names = readdirSync(backup);
  assert.equal(names.filter((name) => name.endsWith(".db")).length, 1, String(names));
  await server.stop();

  await restored(backup, server.folder, "--replace");
  const again = await startDev(t, { data: server.folder });
  await assertReadable(again, [...kept, ...more]);
  await assertGone(again, deleted);
});

test("no server is needed to back up", limit, async (t) => {
  const folder = temporaryFolder(t);
  const server = await startDev(t);
  const kept = await uploadSome(server, "kept", 2);
  await server.stop();
  const report = await backUp(join(folder, "backup"), server.folder);
  assert.equal(report.attachments, 2);
  await restored(join(folder, "backup"), server.folder, "--replace");
  const again = await startDev(t, { data: server.folder });
  await assertReadable(again, kept);
});

test("what is in the way is refused, and nothing is touched", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const kept = await uploadSome(server, "kept", 2);
  const refuses = async (result, pattern) => {
    const { code, stdout, stderr } = await result;
    assert.equal(code, 1, stdout);
    assert.match(stderr, pattern);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  };
  const data = ["--data", server.folder];
  writeFileSync(join(folder, "letter.txt"), "dear diary");
  await refuses(satchel(["backup", folder, ...data]), /holds something that is no backup/);
  assert.deepEqual(readdirSync(folder), ["letter.txt"]);
  await refuses(
    satchel(["backup", join(server.folder, "blobs", "x"), ...data]),
    /inside the store/,
  );
  const stranger = await startDev(t);
  await backUp(backup, stranger.folder);
  await refuses(satchel(["backup", backup, ...data]), /the backup of another store/);
  rmSync(backup, { recursive: true });

  await refuses(restore(join(folder, "nowhere"), server.folder), /is in use by another satchel/);
  await backUp(backup, server.folder);
  await refuses(restore(backup, server.folder, "--replace"), /is in use by another satchel/);
  await server.stop();
  await refuses(restore(join(folder, "nowhere"), server.folder, "--replace"), /holds no backup/);
  await refuses(restore(backup, server.folder), /say --replace/);
  const empty = join(folder, "empty");
  await refuses(restore(backup, empty, "--without-ledger"), /put that to .*master\.key/);
  folderWithKeyOf(server.folder, join(folder, "new"));
  await refuses(restore(backup, join(folder, "new")), /--ledger FILE.*--without-ledger/);
  folderWithKeyOf(stranger.folder, join(folder, "other"));
  await refuses(
    restore(backup, join(folder, "other"), "--without-ledger"),
    /another master key/,
  );
  const wrong = await satchel(["restore", backup, "--ledger", "x", "--without-ledger", ...data]);
  assert.equal(wrong.code, 2);

  await fsckIsClean(server.folder);
  const again = await startDev(t, { data: server.folder });
  await assertReadable(again, kept);
});

test("a ledger that does not lead on from the backup is refused", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const ledgerOf = async (folderOfStore, name, ...options) => {
    const file = join(folder, name);
    const result = await satchel(["audit", "export", "--data", folderOfStore, ...options]);
    writeFileSync(file, result.stdout);
    return file;
  };
  const early = await uploadSome(server, "early", 2);
  await deleteAll(server, early);
  const old = await ledgerOf(server.folder, "old.jsonl");
  const more = await uploadSome(server, "more", 2);
  await deleteAll(server, more.slice(0, 1));
  await backUp(backup, server.folder);
  await deleteAll(server, more.slice(1));
  const late = await ledgerOf(server.folder, "late.jsonl");
  const lines = readFileSync(late, "utf8").trimEnd().split("\n");
  const gap = join(folder, "gap.jsonl");
  const { seq, hash } = JSON.parse(lines[lines.length - 2]);
  const { key } = JSON.parse(lines[0]);
  const begin = JSON.stringify({ audit: "start", version: 1, key, seq, hash });
  writeFileSync(gap, `${begin}\n${lines.at(-1)}\n`);
  const changed = join(folder, "changed.jsonl");
  writeFileSync(changed, `${lines.join("\n").replace('"cause":"delete"', '"cause":"expired"')}\n`);
  const stranger = await startDev(t);
  const foreign = await ledgerOf(stranger.folder, "foreign.jsonl");
  await server.stop();

  const elsewhere = folderWithKeyOf(server.folder, join(folder, "elsewhere"));
  for (const [file, pattern] of [
    [old, /ends before the backup was made/],
    [gap, /begins after the backup was made/],
    [changed, /is broken/],
    [foreign, /is not of the store that was backed up/],
    [join(folder, "letter.txt"), /cannot read/],
  ]) {
    const result = await restore(backup, elsewhere, "--ledger", file);
    assert.equal(result.code, 1, file);
    assert.match(result.stderr, pattern);
    assert.ok(!existsSync(join(elsewhere, "satchel.db")));
  }
  const outcome = await restored(backup, elsewhere, "--ledger", late);
  assert.equal(outcome.ledger.deleted, 1);
  const again = await startDev(t, { data: elsewhere });
  await assertGone(again, [...early, ...more]);
});

test("without a ledger everything of the backup is back, and heads of later tell", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const deleted = await uploadSome(server, "deleted", 1);
  await backUp(backup, server.folder);
  await deleteAll(server, deleted);
  const head = join(folder, "head.jsonl");
  writeFileSync(head, (await satchel(["audit", "head", "--data", server.folder])).stdout);
  await server.stop();
  await restored(backup, server.folder, "--replace", "--without-ledger");
  const again = await startDev(t, { data: server.folder });
  await assertReadable(again, deleted);
  const verified = await satchel(["audit", "verify", "--data", server.folder, "--head", head]);
  assert.equal(verified.code, 1);
});

test("a damaged or cut backup is noticed before anything is replaced", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const kept = await uploadSome(server, "kept", 2);
  await backUp(backup, server.folder);
  await server.stop();
  const check = async (pattern) => {
    const result = await restore(backup, server.folder, "--check");
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr + result.stdout, pattern);
    assert.equal((await restore(backup, server.folder, "--replace")).code, 1);
    await fsckIsClean(server.folder);
  };
  const whole = await restored(backup, server.folder, "--check");
  assert.equal(whole.restored, false);

  const databaseName = readdirSync(backup).find((name) => name.endsWith(".db"));
  const database = join(backup, databaseName);
  const bytes = readFileSync(database);
  const flipped = Buffer.from(bytes);
  flipped[flipped.length >> 1] ^= 1;
  writeFileSync(database, flipped);
  await check(/was changed after the backup was made/);
  writeFileSync(database, bytes);

  const manifest = join(backup, "backup.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.slice(0, -20));
  await check(/backup\.json is damaged/);
  writeFileSync(manifest, text.replace('"satchel_backup":1', '"satchel_backup":2'));
  await check(/newer release/);
  writeFileSync(manifest, '{"satchel_backup":1,"complete":false}\n');
  await check(/never finished/);
  writeFileSync(manifest, text);

  const blob = filesIn(join(backup, "blobs")).find((path) => !path.startsWith("incoming"));
  const content = readFileSync(join(backup, "blobs", blob));
  content[100] ^= 1;
  writeFileSync(join(backup, "blobs", blob), content);
  await check(/"kind":"corrupt_bytes"/);
  appendFileSync(join(backup, "blobs", blob), "x");
  await check(/"kind":"missing_bytes"/);
  rmSync(join(backup, "blobs", blob));
  await check(/"kind":"missing_bytes"/);

  const accepted = await restored(backup, server.folder, "--replace", "--accept-damage");
  assert.equal(accepted.restored, true);
  assert.equal(accepted.findings.length, 1);
  const lost = accepted.findings[0].subject;
  const again = await startDev(t, { data: server.folder });
  await assertReadable(again, kept.filter(({ id }) => id !== lost));
});

test("a restore that was interrupted is finished, and nobody uses what is half there", limit, async (t) => {
  const folder = temporaryFolder(t);
  const backup = join(folder, "backup");
  const server = await startDev(t);
  const kept = await uploadSome(server, "kept", 2);
  await backUp(backup, server.folder);
  await server.stop();
  const elsewhere = folderWithKeyOf(server.folder, join(folder, "elsewhere"));
  await restored(backup, elsewhere, "--without-ledger");

  // As it is when the power fails between the renames: the database is not in place yet.
  const moves = ["satchel.db", "blobs"].map((name) => ({
    from: join(elsewhere, `${name}.restoring`),
    to: join(elsewhere, name),
  }));
  const { renameSync } = await import("node:fs");
  renameSync(moves[0].to, moves[0].from);
  writeFileSync(join(elsewhere, "restore.json"), JSON.stringify({ moves }));
  for (const args of [
    ["dev", "--port", "0"],
    ["backup", join(folder, "x")],
    ["fsck"],
    ["audit", "verify"],
  ]) {
    const result = await satchel([...args, "--data", elsewhere]);
    assert.equal(result.code, 1, args[0]);
    assert.match(result.stderr, /restore into .* was interrupted/, args[0]);
  }
  const finished = await restore(backup, elsewhere, "--without-ledger");
  assert.equal(finished.code, 1);
  assert.match(finished.stderr, /is finished now/);
  await fsckIsClean(elsewhere);
  const again = await startDev(t, { data: elsewhere });
  await assertReadable(again, kept);
});
