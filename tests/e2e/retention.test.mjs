// What goes by itself: messages, audit, keys, pictures, events about what was deleted; and the lag
// that shows when it does not.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { change, findInFiles, query, storedBlobs } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import {
  line,
  media,
  mediaUrl,
  newChat,
  nextPerson,
  photo,
  receive,
  sendInto,
  startOrigin,
  text,
  upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 240_000 };
const day = 86_400;
const start = (t, env = {}) => startDev(t, { args: ["--test-clock"], env });
const count = async (server, table) =>
  (await query(server.folder, `SELECT count(*) AS n FROM ${table}`))[0].n;

async function metric(server, name) {
  const page = (await server.admin("GET", "/metrics")).body.toString();
  const found = page.split("\n").find((each) => each.startsWith(`${name} `));
  assert.ok(found, `${name} in\n${page}`);
  return Number(found.split(" ").at(-1));
}

async function inbound(server, value = "words") {
  const answer = await receive(server, { line, from: nextPerson(), text: value }, [
    { bytes: photo, name: "came-in.jpg", type: "image/jpeg" },
  ]);
  return (await answer.json()).parts.find((part) => part.type === "media");
}

test("messages go with their days, with reactions; younger ones and uploads stay", limit, async (t) => {
  const server = await start(t, { SATCHEL_RETENTION__MESSAGES_DAYS: "30" });
  const own = await upload(server);
  const chat = await newChat(server, { message: { parts: [text("old"), media(own)] } });
  const { messages: before } = jsonOf(
    await server.api.call("GET", `/v3/chats/${chat.id}/messages`),
  );
  const reacted = await server.api.call("POST", `/v3/messages/${before[0].id}/reactions`, {
    body: { operation: "add", type: "love" },
  });
  assert.equal(reacted.status, 202, String(reacted.body));
  const came = await inbound(server);
  await server.advanceClock(29 * day);
  assert.equal((await sendInto(server, chat.id, [text("young")])).status, 202);
  assert.equal(await count(server, "messages"), 3);
  await server.advanceClock(day + 60);
  assert.equal(await count(server, "messages"), 1);
  assert.equal(await count(server, "reactions"), 0);
  assertError(await server.api.call("GET", `/v3/messages/${before[0].id}`), 404, 2002);
  const { messages } = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  assert.deepEqual(
    messages.map((each) => each.parts[0].value),
    ["young"],
  );
  for (const id of [own.attachment_id, came.id]) {
    assert.equal((await server.api.get(id)).status, 200, "by default no message takes its media");
  }
});

test("by default nothing goes, however old", limit, async (t) => {
  const server = await start(t);
  await newChat(server);
  const own = await upload(server);
  assert.equal((await server.api.delete(own.attachment_id)).status, 204);
  await server.advanceClock(3600 * day);
  assert.equal(await count(server, "messages"), 1);
  assert.equal(await count(server, "deletion_audit"), 1);
});

test("media that came with a message go with it, if so set; a client's uploads never", limit, async (t) => {
  const server = await start(t, {
    SATCHEL_RETENTION__MESSAGES_DAYS: "1",
    SATCHEL_RETENTION__MEDIA: "with_message",
  });
  const origin = await startOrigin(t, { "/by-url.jpg": { type: "image/jpeg", bytes: photo } });
  const own = await upload(server);
  const chat = await newChat(server, { message: { parts: [media(own)] } });
  const sent = await sendInto(server, chat.id, [mediaUrl(`${origin}/by-url.jpg`)]);
  assert.equal(sent.status, 202, String(sent.body));
  const came = await inbound(server);
  assert.equal(storedBlobs(server.folder).stored.length, 3);
  await server.advanceClock(2 * day);
  assert.equal(storedBlobs(server.folder).stored.length, 1);
  assert.equal((await server.api.get(own.attachment_id)).status, 200);
  assertError(await server.api.get(came.id), 404, 2003);
  const audit = await satchelJson(["audit", "list", "--data", server.folder]);
  assert.deepEqual(
    audit.map((entry) => [entry.cause, entry.actor]),
    Array(2).fill(["retention", "sweeper"]),
  );
});

test("keys of messages that are gone still refuse, until their days are over", limit, async (t) => {
  const server = await start(t, {
    SATCHEL_RETENTION__MESSAGES_DAYS: "1",
    SATCHEL_RETENTION__IDEMPOTENCY_KEY_DAYS: "10",
  });
  const chat = await newChat(server);
  const again = () => sendInto(server, chat.id, [text("once")], { idempotency_key: "the-key" });
  assert.equal((await again()).status, 202);
  await server.advanceClock(2 * day);
  assertError(await again(), 404, 2002);
  assert.equal(await count(server, "idempotency_keys"), 1);
  await server.advanceClock(10 * day);
  assert.equal(await count(server, "idempotency_keys"), 0);
});

test("a picture by URL goes when another takes its place", limit, async (t) => {
  const server = await start(t);
  const origin = await startOrigin(t, { "/a.jpg": { type: "image/jpeg", bytes: photo } });
  const chat = await newChat(server, { to: [nextPerson(), nextPerson(), nextPerson()] });
  const setIcon = (url) =>
    server.api.call("PUT", `/v3/chats/${chat.id}`, { body: { group_chat_icon: url } });
  const first = await setIcon(`${origin}/a.jpg`);
  assert.ok(first.status < 300, String(first.body));
  const own = await upload(server);
  assert.ok((await setIcon(own.download_url)).status < 300);
  await server.advanceClock(1);
  assert.equal(storedBlobs(server.folder).stored.length, 1);
  assert.ok((await setIcon(`${origin}/a.jpg`)).status < 300);
  await server.advanceClock(1);
  assert.equal((await server.api.get(own.attachment_id)).status, 200, "a client's own stays");
  const audit = await satchelJson(["audit", "list", "--data", server.folder]);
  assert.deepEqual(
    audit.map((entry) => entry.cause),
    ["replaced"],
  );
});

test("an event that waits shows a deleted attachment no more", limit, async (t) => {
  let answer = 503;
  const receiver = await WebhookReceiver.start(t, () => answer);
  const server = await start(t);
  for (const version of ["2025-01-01", "2026-02-03"]) {
    const subscribed = await server.api.call("POST", "/v3/webhook-subscriptions", {
      body: {
        target_url: `${receiver.origin}/${version}?version=${version}`,
        subscribed_events: ["message.received"],
      },
    });
    assert.equal(subscribed.status, 201, String(subscribed.body));
  }
  const gone = await inbound(server);
  const kept = await inbound(server);
  await receiver.received("message.received", 4);
  assert.equal(await count(server, "webhook_mentions"), 4);
  assert.equal((await server.api.delete(gone.id)).status, 204);
  assert.equal(await count(server, "webhook_mentions"), 4);
  const tried = receiver.deliveries.length;
  answer = 200;
  await server.advanceClock(3600);
  await until(async () => (await count(server, "webhook_outbox")) === 0, { what: "delivered" });
  const late = receiver.deliveries.slice(tried);
  assert.equal(late.length, 4);
  assert.ok(!late.some((each) => each.body.includes(gone.id)), "neither id nor URL");
  assert.equal(late.filter((each) => each.body.includes(kept.id)).length, 2);
  const nulls = { type: "media", id: null, url: null, filename: null, mime_type: null, size_bytes: null };
  const parts = late.map(({ json }) => (json.data.parts ?? json.data.message.parts)[1]);
  assert.deepEqual(parts.filter((part) => part.id === null), [nulls, nulls]);
  assert.equal(await count(server, "webhook_mentions"), 0);
});

async function deleteSome(server, number) {
  for (let index = 0; index < number; index += 1) {
    const own = await upload(server);
    assert.equal((await server.api.delete(own.attachment_id)).status, 204);
  }
}

test("the audit is cut at its beginning, and what is left still verifies", limit, async (t) => {
  const server = await start(t, { SATCHEL_RETENTION__AUDIT_DAYS: "365" });
  const at = ["--data", server.folder];
  await deleteSome(server, 4);
  const head = join(temporaryFolder(t), "heads.jsonl");
  writeFileSync(head, (await satchel(["audit", "head", ...at])).stdout);
  await server.advanceClock(200 * day);
  await deleteSome(server, 3);
  const kept = await satchel(["audit", "head", ...at]);
  writeFileSync(head, kept.stdout, { flag: "a" });
  await server.advanceClock(200 * day);
  const listed = await satchelJson(["audit", "list", ...at]);
  assert.deepEqual(
    listed.map((entry) => entry.seq),
    [5, 6, 7],
  );
  const env = { SATCHEL_ADMIN_URL: server.adminUrl, SATCHEL_ADMIN_TOKEN: server.adminToken };
  for (const [args, options] of [
    [["audit", "verify", ...at], {}],
    [["audit", "verify"], { env }],
    [["audit", "verify", "--head", head, ...at], {}],
  ]) {
    const verdict = await satchelJson(args, options);
    assert.equal(verdict.intact, true);
    assert.equal(verdict.entries, 3);
    assert.equal(verdict.start.seq, 4);
  }
  const file = join(temporaryFolder(t), "export.jsonl");
  writeFileSync(file, (await satchel(["audit", "export", ...at])).stdout);
  assert.equal((await satchelJson(["audit", "verify", "--file", file])).entries, 3);
  const text = await satchel(["audit", "verify", ...at]);
  assert.match(text.stdout, /from +entry 5/);
  // The last entry stays however old it is: the chain goes on from it.
  await server.advanceClock(3600 * day);
  assert.equal((await satchelJson(["audit", "list", ...at])).length, 1);
  await deleteSome(server, 1);
  assert.equal((await satchelJson(["audit", "verify", ...at])).intact, true);
});

const forgeries = [
  ["DELETE FROM deletion_audit WHERE seq <= 5", /entry 5 is missing/],
  [
    "UPDATE audit_cut SET seq = 5, hash = (SELECT hash FROM deletion_audit WHERE seq = 5); DELETE FROM deletion_audit WHERE seq <= 5",
    /where the audit was cut/,
  ],
  ["DELETE FROM audit_cut", /entry 1 is missing/],
];
for (const [sql, pattern] of forgeries) {
  test(`a cut that was not signed is found: ${sql}`, limit, async (t) => {
    const env = { SATCHEL_RETENTION__AUDIT_DAYS: "365" };
    const server = await start(t, env);
    const at = ["--data", server.folder];
    await deleteSome(server, 4);
    await server.advanceClock(200 * day);
    await deleteSome(server, 3);
    await server.advanceClock(200 * day);
    assert.equal((await satchelJson(["audit", "verify", ...at])).start.seq, 4);
    await server.stop();
    const drop = "DROP TRIGGER deletion_audit_keeps_rows; DROP TRIGGER deletion_audit_keeps_content";
    await change(server.folder, `${drop}; ${sql}`);
    const verdict = await satchel(["audit", "verify", ...at]);
    assert.equal(verdict.code, 1, verdict.stdout);
    assert.match(verdict.stderr, pattern);
  });
}

// Another process that keeps the database from being written, until its input ends.
async function hold(t, folder) {
  const file = join(folder, "satchel.db");
  const holder = spawn("sqlite3", [file], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => holder.on("close", resolve));
  t.after(() => holder.kill("SIGKILL"));
  let said = "";
  holder.stdout.on("data", (bytes) => {
    said += bytes;
  });
  holder.stdin.write("BEGIN IMMEDIATE; SELECT 'held';\n");
  await until(() => said.includes("held"), { what: "the lock" });
  return async () => {
    holder.stdin.end("ROLLBACK;\n");
    await ended;
  };
}

test("a sweep that is behind shows by how much, and nothing when it is done", limit, async (t) => {
  const server = await start(t, { SATCHEL_RETENTION__MESSAGES_DAYS: "1" });
  await newChat(server);
  const name = 'satchel_chore_lag_seconds{chore="old messages"}';
  assert.equal(await metric(server, name), 0);
  await until(async () => (await count(server, "jobs")) === 0, { what: "the message delivered" });
  const release = await hold(t, server.folder);
  const refused = await server.admin("POST", "/admin/v1/clock", { advance_seconds: 3 * day });
  assert.ok(refused.status >= 500, "nothing can be removed now");
  const lag = await metric(server, name);
  assert.ok(lag >= 2 * day && lag < 2 * day + 120, `${lag}`);
  await release();
  await server.advanceClock(1);
  assert.equal(await metric(server, name), 0);
  assert.equal(await count(server, "messages"), 0);
  for (const chore of ["due attachments", "old audit entries", "old bridge ids"]) {
    assert.equal(await metric(server, `satchel_chore_lag_seconds{chore="${chore}"}`), 0);
  }
});

test("nothing of a deleted message is left in the files", limit, async (t) => {
  const server = await start(t, { SATCHEL_RETENTION__MESSAGES_DAYS: "1" });
  await newChat(server, { message: { parts: [text("hello")], idempotency_key: "k" } });
  const [row] = await query(server.folder, "SELECT hex(sealed_parts) AS parts FROM messages");
  const sealed = Buffer.from(row.parts, "hex");
  await server.advanceClock(2 * day);
  assert.deepEqual(findInFiles(server.folder, [sealed]), []);
  assert.equal((await request(`${server.origin}/healthz`)).status, 200);
});
