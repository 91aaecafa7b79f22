// The deletion audit: what is listed, what verifies, and what an attacker cannot hide.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { change } from "./support/data_folder.mjs";
import { jsonOf } from "./support/partner_api.mjs";
import { satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const oneLine = (text) => assert.equal(text.trimEnd().split("\n").length, 1, text);

async function deleteSome(server, count) {
  const ids = [];
  for (let index = 0; index < count; index += 1) {
    const created = await server.api.upload({
      filename: `${index}.txt`,
      contentType: "text/plain",
      bytes: Buffer.from("some bytes"),
    });
    assert.equal((await server.api.delete(created.attachment_id)).status, 204);
    ids.push(created.attachment_id);
  }
  return ids;
}

// Runs SQL behind the server's back, the triggers that keep honest programs from it dropped.
function tamper(folder, sql) {
  const drop = "DROP TRIGGER deletion_audit_keeps_rows; DROP TRIGGER deletion_audit_keeps_content";
  return change(folder, `${drop}; ${sql}`);
}

async function assertBroken(args, pattern) {
  const result = await satchel(["audit", "verify", ...args]);
  assert.equal(result.code, 1, result.stdout);
  oneLine(result.stderr);
  assert.match(result.stderr, pattern);
}

test("deletions are listed with time, partner, id, cause and actor", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  assert.deepEqual(await satchelJson(["audit", "list", ...at]), []);
  const ids = await deleteSome(server, 3);

  const listed = await satchelJson(["audit", "list", ...at]);
  assert.deepEqual(
    listed.map((entry) => entry.attachment_id),
    ids,
  );
  for (const [index, entry] of listed.entries()) {
    assert.equal(entry.seq, index + 1);
    assert.equal(entry.partner_id, server.partnerId);
    assert.equal(entry.cause, "delete");
    assert.match(entry.actor, /^key:[0-9a-f-]{36}$/);
    assert.match(entry.hash, /^[0-9a-f]{64}$/);
    assert.ok(Math.abs(Date.parse(entry.at) - Date.now()) < 120_000);
  }

  const text = await satchel(["audit", "list", ...at]);
  for (const id of ids) assert.ok(text.stdout.includes(id));

  const stranger = "550e8400-e29b-41d4-a716-446655440000";
  assert.deepEqual(await satchelJson(["audit", "list", "--partner", stranger, ...at]), []);
  const own = await satchelJson(["audit", "list", "--partner", server.partnerId, ...at]);
  assert.equal(own.length, 3);
  const late = await satchelJson(["audit", "list", "--since", listed[1].at, ...at]);
  assert.deepEqual(
    late.map((entry) => entry.seq),
    [2, 3],
  );
});

test("the admin API gives the same list, heads and receipts", limit, async (t) => {
  const server = await startDev(t);
  const [id] = await deleteSome(server, 2);
  const env = { SATCHEL_ADMIN_URL: server.adminUrl, SATCHEL_ADMIN_TOKEN: server.adminToken };
  const listed = await satchelJson(["audit", "list"], { env });
  assert.deepEqual(listed, await satchelJson(["audit", "list", "--data", server.folder]));
  assert.equal((await satchelJson(["audit", "verify"], { env })).entries, 2);
  const receipt = jsonOf(await server.admin("GET", `/admin/v1/audit/receipts/${id}`));
  assert.equal(receipt.entry.attachment_id, id);
  const head = jsonOf(await server.admin("GET", "/admin/v1/audit/head"));
  assert.equal(head.hash, listed[1].hash);
  const page = jsonOf(await server.admin("GET", "/admin/v1/audit/entries/1"));
  assert.deepEqual(page.entries, [listed[1]]);
  assert.equal((await server.admin("GET", "/admin/v1/audit/entries/x")).status, 400);
  assert.equal((await server.admin("GET", "/admin/v1/audit/receipts/x")).status, 400);
  const unknown = "/admin/v1/audit/receipts/550e8400-e29b-41d4-a716-446655440000";
  assert.equal((await server.admin("GET", unknown)).status, 404);
});

test("verify passes with and without a server, across restarts and a kill", limit, async (t) => {
  let server = await startDev(t);
  const at = ["--data", server.folder];
  assert.equal((await satchelJson(["audit", "verify", ...at])).entries, 0);
  await deleteSome(server, 2);
  assert.equal((await satchelJson(["audit", "verify", ...at])).entries, 2);
  await server.stop();
  assert.equal((await satchelJson(["audit", "verify", ...at])).intact, true);
  server = await startDev(t, { data: server.folder });
  await deleteSome(server, 1);
  const verdict = await satchelJson(["audit", "verify", ...at]);
  assert.equal(verdict.intact, true);
  assert.equal(verdict.entries, 3);
  await server.kill9();
  assert.deepEqual(await satchelJson(["audit", "verify", ...at]), verdict);
  server = await startDev(t, { data: server.folder });
  const text = await satchel(["audit", "verify", ...at]);
  assert.equal(text.code, 0, text.stderr);
  assert.ok(text.stdout.includes(verdict.key) && text.stdout.includes(verdict.end.hash));
});

const edits = [
  ["UPDATE deletion_audit SET actor = 'nobody' WHERE seq = 2", /entry 2 was changed/],
  ["UPDATE deletion_audit SET hash = zeroblob(32) WHERE seq = 3", /entry 3 was changed/],
  ["DELETE FROM deletion_audit WHERE seq = 2", /entry 2 is missing/],
  ["DELETE FROM deletion_audit WHERE seq > 2", /ends with entry 2, but was signed up to entry 4/],
  [
    "DELETE FROM deletion_audit WHERE seq > 2; UPDATE audit_chain SET seq = 2, hash = (SELECT hash FROM deletion_audit WHERE seq = 2)",
    /signed end/,
  ],
  [
    "INSERT INTO deletion_audit SELECT 5, at, partner, attachment, cause, actor, hash FROM deletion_audit WHERE seq = 4",
    /entry 5 was changed/,
  ],
  ["DELETE FROM audit_chain", /signed end/],
];

for (const [sql, pattern] of edits) {
  test(`found and never covered up: ${sql}`, limit, async (t) => {
    let server = await startDev(t);
    const at = ["--data", server.folder];
    const ids = await deleteSome(server, 4);
    await server.stop();
    await tamper(server.folder, sql);
    await assertBroken(at, pattern);
    const verdict = await satchel(["audit", "verify", "--json", ...at]);
    assert.equal(verdict.code, 1);
    assert.equal(JSON.parse(verdict.stdout).intact, false);
    const receipt = await satchel(["audit", "receipt", ids[0], ...at]);
    assert.equal(receipt.code, 1, "nothing is signed over a broken chain");

    server = await startDev(t, { data: server.folder });
    await deleteSome(server, 2);
    await assertBroken(at, /broken/);
    await server.stop();
    await assertBroken(at, /broken/);
  });
}

test("an edit under a running server is found, too", limit, async (t) => {
  const server = await startDev(t);
  await deleteSome(server, 3);
  await tamper(
    server.folder,
    "DELETE FROM deletion_audit WHERE seq = 3; UPDATE deletion_audit SET cause = 'expired' WHERE seq = 1",
  );
  await deleteSome(server, 1);
  await assertBroken(["--data", server.folder], /entry 1 was changed/);
});

test("an export verifies without folder and key, whole or since a time", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const ids = await deleteSome(server, 3);
  const elsewhere = temporaryFolder(t);
  const file = join(elsewhere, "audit.jsonl");
  const listed = await satchelJson(["audit", "list", ...at]);

  for (const [args, count] of [
    [[], 3],
    [["--since", listed[1].at], 2],
    [["--since", "2100-01-01"], 0],
  ]) {
    const exported = await satchel(["audit", "export", ...args, ...at]);
    assert.equal(exported.code, 0, exported.stderr);
    writeFileSync(file, exported.stdout);
    const lines = exported.stdout.trimEnd().split("\n").map(JSON.parse);
    assert.equal(lines.length, count + 2);
    const verdict = await satchelJson(["audit", "verify", "--file", file]);
    assert.equal(verdict.intact, true);
    assert.equal(verdict.entries, count);
    const key = ["--key", verdict.key];
    assert.equal((await satchel(["audit", "verify", "--file", file, ...key])).code, 0);
    await assertBroken(["--file", file, "--key", "00".repeat(32)], /another key/);
  }

  const whole = (await satchel(["audit", "export", ...at])).stdout;
  writeFileSync(file, whole.replace(ids[1], "550e8400-e29b-41d4-a716-446655440000"));
  await assertBroken(["--file", file], /entry 2 was changed/);
  const lines = whole.trimEnd().split("\n");
  writeFileSync(file, lines.slice(0, -1).join("\n"));
  await assertBroken(["--file", file], /was cut/);
  writeFileSync(file, lines.filter((_, index) => index !== 3).join("\n"));
  await assertBroken(["--file", file], /but was signed up to entry 3/);
  await assertBroken(["--file", join(elsewhere, "missing")], /cannot read/);
});

test("a head that was kept shows that an old copy was put back", limit, async (t) => {
  let server = await startDev(t);
  const at = ["--data", server.folder];
  const heads = join(temporaryFolder(t), "heads.jsonl");
  await deleteSome(server, 1);
  writeFileSync(heads, (await satchel(["audit", "head", ...at])).stdout);
  await server.stop();
  const database = join(server.folder, "satchel.db");
  const old = join(temporaryFolder(t), "old.db");
  copyFileSync(database, old);

  server = await startDev(t, { data: server.folder });
  await deleteSome(server, 2);
  writeFileSync(heads, (await satchel(["audit", "head", ...at])).stdout, { flag: "a" });
  assert.equal((await satchel(["audit", "verify", "--head", heads, ...at])).code, 0);
  await server.stop();
  copyFileSync(old, database);
  assert.equal((await satchel(["audit", "verify", ...at])).code, 0, "the copy itself is whole");
  await assertBroken(["--head", heads, ...at], /ends with entry 1, but entry 3 is known elsewhere/);
});

test("a receipt proves one deletion anywhere; a changed one proves nothing", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const ids = await deleteSome(server, 3);
  const printed = await satchel(["audit", "receipt", ids[1], ...at]);
  assert.equal(printed.code, 0, printed.stderr);
  const receipt = JSON.parse(printed.stdout);
  assert.equal(receipt.entry.attachment_id, ids[1]);
  assert.equal(receipt.entry.partner_id, server.partnerId);
  const file = join(temporaryFolder(t), "receipt.json");
  writeFileSync(file, printed.stdout);
  const verified = await satchelJson(["audit", "verify", "--receipt", file]);
  assert.deepEqual(verified.entry, receipt.entry);
  const { key } = await satchelJson(["audit", "verify", ...at]);
  assert.equal(verified.key, key);
  assert.equal((await satchel(["audit", "verify", "--head", file, ...at])).code, 0);

  writeFileSync(file, printed.stdout.replace("delete", "erased"));
  await assertBroken(["--receipt", file], /was changed after it was signed/);
  writeFileSync(file, readFileSync(file).subarray(0, 100));
  await assertBroken(["--receipt", file], /no audit receipt/);

  const unknown = "550e8400-e29b-41d4-a716-446655440000";
  const none = await satchel(["audit", "receipt", unknown, ...at]);
  assert.equal(none.code, 1);
  oneLine(none.stderr);
});

test("wrong command lines are refused with exit code 2", limit, async (t) => {
  const folder = temporaryFolder(t);
  for (const args of [
    ["audit"],
    ["audit", "list", "--since", "yesterday"],
    ["audit", "list", "--partner", "acme"],
    ["audit", "receipt"],
    ["audit", "receipt", "x"],
    ["audit", "verify", "--file", "a", "--receipt", "b"],
    ["audit", "verify", "--data", folder, "--config", folder],
  ]) {
    const result = await satchel(args);
    assert.equal(result.code, 2, args.join(" "));
    oneLine(result.stderr);
  }
  const nothing = await satchel(["audit", "verify", "--data", folder]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /no store/);
});
