// satchel erase: what goes with a partner or a person, and that nothing of it stays on the disk.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

import { findInFiles, query, storedBlobs } from "./support/data_folder.mjs";
import { until, within } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import {
  line,
  media,
  newChat,
  otherLine,
  photo,
  receive,
  sendInto,
  text,
  upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { cleanEnvironment, satchel, satchelBinary, satchelJson } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 240_000 };
const victim = "+12025550142";
const bystander = "+12025550152";
const erase = (server, ...args) =>
  satchelJson(["erase", "--partner", server.partnerId, ...args, "--data", server.folder]);

async function subscribeNowhere(server) {
  const answer = await server.api.call("POST", "/v3/webhook-subscriptions", {
    body: {
      target_url: "http://127.0.0.1:9/dead",
      subscribed_events: ["message.sent", "message.received", "chat.created"],
    },
  });
  assert.equal(answer.status, 201, String(answer.body));
}

async function receiveFrom(server, from, value, filename) {
  const answer = await receive(server, { line, from, text: value }, [
    { bytes: photo, name: filename, type: "image/jpeg" },
  ]);
  const body = await answer.json();
  assert.ok(answer.ok, JSON.stringify(body));
  return body;
}

const mediaOf = (message) => message.parts.find((part) => part.type === "media");

test("a person: messages, media, chat and handle go, and no file holds a trace", limit, async (t) => {
  const server = await startDev(t);
  await subscribeNowhere(server);
  // Many others around them, so that rows were moved between pages.
  for (let index = 0; index < 120; index += 1) {
    const answer = await receive(server, {
      line,
      from: `+1303555${String(1000 + ((index * 7919) % 9000))}`,
      text: "hello",
    });
    assert.ok(answer.ok);
  }
  const inbound = await receiveFrom(server, victim, "my words", "private-place.jpg");
  const kept = await receiveFrom(server, bystander, "other words", "kept.jpg");
  const own = await upload(server, photo, "for-you-alone.jpg");
  const chat = await newChat(server, {
    to: [victim],
    message: { parts: [text("to you"), media(own)] },
  });
  const blocked = await server.api.call("POST", "/v3/blocked_handles", {
    body: { handle: victim, reason: "a reason" },
  });
  assert.ok(blocked.status < 300, String(blocked.body));

  const before = storedBlobs(server.folder).stored.length;
  const would = await erase(server, "--handle", victim, "--dry-run");
  assert.equal(would.dry_run, true);
  assert.equal(would.erased.messages, 2);
  assert.equal(storedBlobs(server.folder).stored.length, before, "a dry run removes nothing");
  assert.notDeepEqual(findInFiles(server.folder, [Buffer.from(victim)]), []);

  const { erased } = await erase(server, "--handle", victim, "--yes");
  assert.equal(erased.messages, 2);
  assert.equal(erased.attachments, 2);
  assert.equal(erased.chats, 1);
  assert.equal(erased.blocked_handles, 1);

  const client = server.api;
  assertError(await client.call("GET", `/v3/chats/${chat.id}`), 404, 2001);
  assertError(await client.get(own.attachment_id), 404, 2003);
  assert.equal((await request(own.download_url)).status, 404);
  assertError(await client.get(mediaOf(inbound).id), 404, 2003);
  assert.equal((await client.get(mediaOf(kept).id)).status, 200, "others keep theirs");
  assert.equal(storedBlobs(server.folder).stored.length, before - 2);

  const needles = [Buffer.from(victim), Buffer.from(victim.slice(1))];
  assert.deepEqual(findInFiles(server.folder, needles), []);
  const audit = await satchelJson(["audit", "list", "--data", server.folder]);
  assert.deepEqual(
    audit.map((entry) => [entry.cause, entry.actor]),
    Array(2).fill(["erase", "operator"]),
  );
  assert.equal((await satchelJson(["audit", "verify", "--data", server.folder])).intact, true);
  await server.stop();
  assert.deepEqual(findInFiles(server.folder, needles), []);
});

test("in a group that stays, the person's name is taken away", limit, async (t) => {
  const server = await startDev(t);
  const people = [victim, bystander, "+12025550162"];
  const chat = await newChat(server, { to: people, message: { parts: [text("all of you")] } });
  const { erased } = await erase(server, "--handle", victim, "--yes");
  assert.equal(erased.participants, 1);
  const shown = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}`));
  const handles = shown.handles.map((each) => each.handle);
  assert.ok(!handles.includes(victim));
  assert.ok(handles.includes(bystander));
  assert.equal(handles.filter((handle) => handle.startsWith("erased-")).length, 1);
  const { messages } = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  const words = messages.flatMap((each) => each.parts.map((part) => part.value));
  assert.ok(words.includes("all of you"), "what others said stays");
  assert.deepEqual(findInFiles(server.folder, [Buffer.from(victim)]), []);
});

test("a partner: everything goes, other partners keep everything", limit, async (t) => {
  const server = await startDev(t);
  await subscribeNowhere(server);
  const other = await satchelJson(["partner", "add", "other", "--data", server.folder]);
  const uploads = [];
  for (let index = 0; index < 60; index += 1) uploads.push(await upload(server));
  await newChat(server, { message: { parts: [text("hello"), media(uploads[0])] } });
  await receiveFrom(server, victim, "words", "a.jpg");
  const { api_key: key } = other;
  const foreign = await new server.api.constructor(server.baseUrl, key).upload({
    filename: "theirs.jpg",
    contentType: "image/jpeg",
    bytes: photo,
  });

  const { erased } = await erase(server, "--yes");
  assert.equal(erased.attachments, 61);
  assert.equal(erased.messages, 2);
  assert.equal(erased.chats, 2);
  const left = await query(
    server.folder,
    `SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM chats) AS chats,
            (SELECT count(*) FROM chat_handles) AS handles, (SELECT count(*) FROM jobs) AS jobs,
            (SELECT count(*) FROM webhook_outbox) AS events,
            (SELECT count(*) FROM attachments) AS attachments`,
  );
  assert.deepEqual(left, [
    { messages: 0, chats: 0, handles: 0, jobs: 0, events: 0, attachments: 1 },
  ]);
  assert.equal((await request(foreign.download_url)).status, 200);
  assert.equal(storedBlobs(server.folder).stored.length, 1);
  assert.deepEqual(findInFiles(server.folder, [Buffer.from(victim)]), []);
  // Again: nothing is left to do.
  assert.equal((await erase(server, "--yes")).erased.attachments, 0);
});

test("with a time, only what is older goes", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const old = await upload(server);
  const chat = await newChat(server, { message: { parts: [text("old")] } });
  await server.advanceClock(3600);
  const now = new Date(Date.now() + 1_800_000).toISOString();
  const young = await upload(server);
  assert.equal((await sendInto(server, chat.id, [text("young")])).status, 202);
  const { erased } = await erase(server, "--before", now.replace(/\.\d+Z$/, "Z"), "--yes");
  assert.equal(erased.attachments, 1);
  assert.equal(erased.messages, 1);
  assert.equal(erased.chats, 0);
  assertError(await server.api.get(old.attachment_id), 404, 2003);
  assert.equal((await server.api.get(young.attachment_id)).status, 200);
});

test("what it cannot do it says, and it does nothing unasked", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const own = await upload(server);
  const partner = ["--partner", server.partnerId];
  for (const [args, code, pattern] of [
    [["erase", ...at, "--yes"], 2, /--partner/],
    [["erase", ...partner, ...at], 2, /--yes .* --dry-run/],
    [["erase", ...partner, "--before", "yesterday", "--yes", ...at], 2, /2026-01-02/],
    [["erase", "--partner", "nobody", "--yes", ...at], 1, /./],
    [["erase", ...partner, "--handle", "12", "--yes", ...at], 1, /E\.164/],
  ]) {
    const result = await satchel(args);
    assert.equal(result.code, code, `${args}: ${result.stderr}`);
    assert.match(result.stderr, pattern);
  }
  assert.equal((await server.api.get(own.attachment_id)).status, 200);
});

test("interrupted by a kill, it is asked again and ends", limit, async (t) => {
  let server = await startDev(t);
  for (let index = 0; index < 200; index += 1) {
    assert.ok((await receive(server, { line: otherLine, from: victim, text: `${index}` })).ok);
  }
  const child = spawn(
    satchelBinary,
    ["erase", "--partner", server.partnerId, "--handle", victim, "--yes", "--data", server.folder],
    { env: cleanEnvironment(), stdio: "ignore" },
  );
  const ended = new Promise((resolve) => child.on("close", resolve));
  const count = async () =>
    (await query(server.folder, "SELECT count(*) AS n FROM messages"))[0].n;
  await until(async () => (await count()) < 200, { what: "the first messages gone" });
  await server.kill9();
  await within(ended, { what: "the end of the command" });
  server = await startDev(t, { data: server.folder });
  await erase(server, "--handle", victim, "--yes");
  assert.equal(await count(), 0);
  assert.deepEqual(findInFiles(server.folder, [Buffer.from(victim)]), []);
});
