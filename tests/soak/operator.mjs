// What the operator does, told to the model.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { findInFiles } from "../e2e/support/data_folder.mjs";
import { until } from "../e2e/support/deadline.mjs";
import { assertError, jsonOf } from "../e2e/support/partner_api.mjs";
import { satchel } from "../e2e/support/program.mjs";
import { checkUsage } from "./house.mjs";
import { marker, minute, uploadWindow } from "./model.mjs";

// The folder is used again: a backup that is refreshed holds nothing that was deleted before.
export async function backUp(world) {
  world.backup = join(world.home, "backup");
  await world.cli("backup", world.backup);
  world.backedUp = world.model.snapshot();
  assert.deepEqual(findInFiles(world.backup, [marker]), [], "in clear in the backup");
}

export async function restore(world) {
  world.hear();
  await world.stop();
  const { replaced } = await world.cli("restore", world.backup, "--replace");
  for (const path of replaced) rmSync(path, { recursive: true });
  world.model.restore(world.backedUp);
  await world.start();
}

// For what is made from now on.
export async function changeTier(world) {
  const partner = world.choices.pick(world.model.partners);
  const scope = world.choices.below(2) === 0 ? partner : world.choices.pick(partner.lines);
  scope.isEphemeral = !scope.isEphemeral;
  const who = scope === partner ? ["--partner", partner.id] : ["--line", scope.number];
  await world.cli("tier", "set", ...who, scope.isEphemeral ? "ephemeral" : "persistent");
}

export async function rotateKeys(world) {
  await world.cli("keys", "rotate");
}

// The moment of something of the partner's, in whole seconds, as people type it.
function someTime(world, partner) {
  const { attachments, messages } = world.model;
  const made = [...attachments, ...messages].filter((each) => each.partner === partner);
  if (made.length === 0) return undefined;
  const seconds = Math.floor(world.choices.pick(made).createdAt / 1000) + world.choices.below(2);
  return new Date(seconds * 1000);
}

// A partner, or one person whom a partner knows; everything, or what is older than something.
function chooseErasure(world) {
  const partner = world.choices.pick(world.model.partners);
  const messages = world.model.messages.filter((each) => each.partner === partner);
  const withMedia = messages.filter(
    ({ isGone, parts }) => !isGone && parts.some((one) => one && one.status !== "gone"),
  );
  const known = withMedia.length > 0 && world.choices.below(4) > 0 ? withMedia : messages;
  const isPerson = known.length > 0 && world.choices.below(6) > 0;
  const person = isPerson ? world.choices.pick(world.choices.pick(known).people) : undefined;
  const time = world.choices.below(3) === 0 ? someTime(world, partner) : undefined;
  const args = ["erase", "--partner", partner.id];
  if (person) args.push("--handle", person);
  if (time) args.push("--before", time.toISOString().replace(".000Z", "Z"));
  return { partner, person, time, args };
}

// Now and then only asked what it would do, or cut by a kill and asked again.
export async function erase(world) {
  const { partner, person, time, args } = chooseErasure(world);
  // What is over anyway goes with its own cause: not while the sweeper is at it.
  await checkUsage(world);
  const takes = world.model.erasable(partner, { person, before: time?.getTime() });
  const [messages, attachments] = [takes.messages.length, takes.attachments.length];
  const kind = world.choices.pick(["dry", "cut", "whole", "whole"]);
  if (kind === "dry") {
    const { dry_run: wasDry, erased } = await world.cli(...args, "--dry-run");
    assert.deepEqual([wasDry, erased.messages], [true, messages], String(args));
    // An attachment in two messages of a person is counted with both as long as neither goes.
    const more = erased.attachments - attachments;
    assert.ok(person ? more >= 0 : more === 0, `${more} attachments more: ${args}`);
    return takes.attachments;
  }
  if (kind === "cut") await cutByKill(world, args);
  const { erased } = await world.cli(...args, "--yes");
  const counts = [erased.messages, erased.attachments];
  if (kind === "whole") assert.deepEqual(counts, [messages, attachments], String(args));
  world.model.erased(takes);
  if (!time) checkNoTrace(world, person ? [person] : partner.people);
  return takes.attachments;
}

async function cutByKill(world, args) {
  const cut = satchel([...args, "--yes", "--data", world.data]);
  await new Promise((resolve) => {
    setTimeout(resolve, world.choices.below(300));
  });
  await world.server.kill9();
  await cut;
  await world.start();
}

// Nobody else knows these people. Lines are the server's own.
function checkNoTrace(world, people) {
  const lines = world.model.partners.flatMap((partner) => partner.lines);
  const strangers = people.filter((person) => lines.every(({ number }) => number !== person));
  assert.deepEqual(findInFiles(world.data, strangers), [], "of erased people");
}

// The receivers that were away are back: they get everything, with nothing that is gone by now.
export async function replayWebhooks(world) {
  const gone = new Set();
  for (const { id, status } of world.model.attachments) if (status === "gone") gone.add(id);
  const before = world.receiver.deliveries.length;
  world.isLateAway = false;
  await world.cli("webhook", "replay", "--all");
  await world.jump(uploadWindow + minute);
  const isEmpty = async () => {
    const { queues } = jsonOf(await world.server.admin("GET", "/admin/v1/stats"));
    return queues.webhooks_waiting + queues.webhooks_failed === 0;
  };
  await until(isEmpty, { what: "every event delivered", deadlineMs: 60_000 });
  world.isLateAway = true;
  for (const { url, json } of world.receiver.deliveries.slice(before)) {
    if (!url.startsWith("/late/")) continue;
    for (const { id } of json.data.parts) assert.ok(!gone.has(id), `${id}, gone, was told of`);
  }
}

const quota = (world, partner, ...changes) =>
  world.cli("partner", "quota", partner.id, ...changes.map(String));

// As little room as there can be, until the operator has mercy.
export async function squeeze(world) {
  const partner = world.choices.pick(world.model.partners);
  const kind = world.choices.pick(["files", "bytes", "pending"]);
  const one = await world.create(partner);
  await checkUsage(world);
  const { pending, complete, pendingBytes, bytes } = world.model.usage(partner);
  const used = { files: pending + complete, bytes: pendingBytes + bytes, pending }[kind];
  const told = await quota(world, partner, `--${kind}`, used);
  assert.deepEqual(told[kind], { used, max: used, own: true });
  const [status, code] = kind === "pending" ? [429, 1007] : [403, 2005];
  const ask = { filename: `${marker}.txt`, content_type: "text/plain", size_bytes: 1 };
  assertError(await world.api(partner).post(ask), status, code);
  await world.delete(one);
  assert.equal((await quota(world, partner))[kind].used, used - (kind === "bytes" ? one.size : 1));
  const again = await world.create(partner, one.content);
  assertError(await world.api(partner).post(ask), status, code);
  assert.equal((await quota(world, partner, `--${kind}`, "default"))[kind].own, false);
  await world.putBytes(again);
  return again;
}
