// What only the operator sees: the store, the audit, the usage, the log, and what the commands say.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { findInFiles, query, storedBlobs } from "../e2e/support/data_folder.mjs";
import { until } from "../e2e/support/deadline.mjs";
import { jsonOf } from "../e2e/support/partner_api.mjs";
import { satchel, satchelJson } from "../e2e/support/program.mjs";
import { Attachment, marker, stranger } from "./model.mjs";

const receiptsPerLook = 2;
const commandsPerLook = 2;
// A sweep runs every 10 seconds.
const sweepMs = 40_000;

export async function checkHouse(world) {
  await checkUsage(world);
  const fsck = await world.cli("fsck");
  assert.deepEqual(fsck.findings, []);
  const { incoming, stored } = storedBlobs(world.data);
  assert.deepEqual(incoming, []);
  assert.equal(stored.length, fsck.blobs, "files in the store and blobs of rows");
  assert.deepEqual(findInFiles(world.data, [marker, stranger]), [], "in clear on the disk");
  assert.ok(!world.server.output.includes(marker), "in the log");
  await checkAudit(world);
  for (const args of someOf(world, commands(world), commandsPerLook)) {
    await checkSilent(world, args);
  }
}

function someOf(world, all, count) {
  return Array.from({ length: Math.min(count, all.length) }, () => world.choices.pick(all));
}

// --- the audit ---

async function exported(world) {
  const { code, stdout, stderr } = await satchel(["audit", "export", "--data", world.data]);
  assert.equal(code, 0, stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function checkAudit(world) {
  assert.equal((await world.cli("audit", "verify")).intact, true);
  const audited = new Map();
  for (const { attachment_id: id, cause } of await exported(world)) {
    if (!id) continue;
    assert.ok(!audited.has(id), `${id} was deleted twice`);
    audited.set(id, cause);
  }
  for (const one of world.model.attachments) {
    const cause = audited.get(one.id);
    const isAudited = one.status === "gone" && one.why !== "never there";
    assert.equal(cause !== undefined, isAudited, `audit of ${one.id}: ${cause}`);
    if (cause) assert.equal(cause, one.why);
    audited.delete(one.id);
  }
  assert.deepEqual([...audited], [], "deletions of what nobody made");
  for (const one of someOf(world, world.model.attachments, receiptsPerLook)) {
    await checkReceipt(world, one);
  }
}

// Of what is gone, and of nothing else.
async function checkReceipt(world, one) {
  const { code, stdout } = await satchel(["audit", "receipt", one.id, "--data", world.data]);
  const isAudited = one.status === "gone" && one.why !== "never there";
  assert.equal(code, isAudited ? 0 : 1, `receipt of ${one.id}, which is ${one.status}`);
  if (!isAudited) return;
  const file = join(world.home, "receipt.json");
  writeFileSync(file, stdout);
  const { entry } = await satchelJson(["audit", "verify", "--receipt", file]);
  const { attachment_id: id, partner_id: partner, cause } = entry;
  assert.deepEqual([id, partner, cause], [one.id, one.partner.id, one.why]);
  assert.ok(!stdout.includes(marker), stdout);
}

// --- what each partner uses ---

// What the operator is told of each partner, as Model.usage() has it.
async function toldUsage(world) {
  const { partners } = jsonOf(await world.server.admin("GET", "/admin/v1/stats"));
  const told = [];
  for (const { id } of world.model.partners) {
    const quota = await world.server.admin("GET", `/admin/v1/partners/${id}/quota`);
    const used = jsonOf(quota);
    const { attachments, bytes } = partners.find(({ partner_id: each }) => each === id);
    assert.equal(used.files.used, attachments.pending + attachments.complete);
    assert.equal(used.pending.used, attachments.pending);
    told.push({ ...attachments, pendingBytes: used.bytes.used - bytes, bytes });
  }
  return told;
}

// Equals the sum of what there is, at the latest once the sweeper has been there.
export async function checkUsage(world) {
  const modelled = () => {
    world.model.timeIs(world.now());
    return world.model.partners.map((partner) => world.model.usage(partner));
  };
  let told;
  const isEqual = async () => {
    told = await toldUsage(world);
    return JSON.stringify(told.map(ordered)) === JSON.stringify(modelled().map(ordered));
  };
  await until(isEqual, { what: "the usage", deadlineMs: sweepMs }).catch(() => {
    assert.deepEqual(told, modelled(), "usage");
  });
}

const ordered = ({ pending, complete, failed, pendingBytes, bytes }) =>
  [pending, complete, failed, pendingBytes, bytes];

// --- what a crash may have left ---

const asUuid = (hex) => hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

// Uploads that were asked for, whose answer was lost with the server: there are at most `max`.
export async function adoptUnanswered(world, max) {
  const sql = "SELECT hex(id) AS id, hex(partner) AS partner FROM attachments";
  const rows = await query(world.data, sql);
  const unknown = rows.filter(({ id }) => !world.model.find(asUuid(id)));
  assert.ok(unknown.length <= max, `${unknown.length} attachments that nobody asked for`);
  for (const row of unknown) {
    const partner = world.model.partners.find(({ id }) => id === asUuid(row.partner));
    const told = jsonOf(await world.api(partner).get(asUuid(row.id)));
    const one = new Attachment({
      id: told.id,
      partner,
      content: { contentType: told.content_type },
      size: told.size_bytes,
      createdAt: Date.parse(told.created_at),
      isEphemeral: partner.isEphemeral,
    });
    one.status = told.status;
    assert.equal(one.status, "pending");
    world.model.attachments.push(one);
  }
}

// --- commands ---

function commands({ model }) {
  const ofPartner = model.partners.flatMap(({ id }) => [
    ["partner", "show", id],
    ["partner", "quota", id],
    ["key", "list", id],
    ["audit", "list", "--partner", id],
    ["erase", "--partner", id, "--dry-run"],
  ]);
  return [
    ...ofPartner,
    ["partner", "list"],
    ["line", "list"],
    ["tier", "show"],
    ["webhook", "list-failed"],
    ["audit", "list"],
    ["audit", "head"],
    ["health"],
    ["fsck"],
  ];
}

// No command names a file or quotes a message.
async function checkSilent(world, args) {
  for (const format of [[], ["--json"]]) {
    const { code, stdout, stderr } = await satchel([...args, ...format, "--data", world.data]);
    assert.equal(code, 0, `satchel ${args.join(" ")}: ${stderr}`);
    assert.ok(!(stdout + stderr).includes(marker), `satchel ${args.join(" ")}: ${stdout}`);
  }
}

export async function checkCommands(world) {
  for (const args of commands(world)) await checkSilent(world, args);
  const metrics = await world.server.admin("GET", "/metrics");
  assert.ok(!String(metrics.body).includes(marker), "in the metrics");
}
