// The ephemeral tier: signed URLs, 24 hours, and nothing left. Contract sections 2.8 and 7.

import assert from "node:assert/strict";
import { test } from "node:test";

import { findInFiles, query, storedBlobs } from "./support/data_folder.mjs";
import { request } from "./support/http_client.mjs";
import {
  createChat,
  line,
  media,
  mediaUrl,
  nextPerson,
  otherLine,
  photo,
  reaches,
  receive,
  recording,
  sdk,
  sendInto,
  startOrigin,
  text,
  upload,
} from "./support/messaging.mjs";
import { assertError, assertXmlError, jsonOf, put } from "./support/partner_api.mjs";
import { satchel, satchelJson } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 180_000 };
const day = 24 * 3600;

const start = (t, options = {}) =>
  startDev(t, { args: ["--test-clock"], env: { SATCHEL_MEDIA__PREVIEWS: "true" }, ...options });
const tierOf = (server, scope, ...words) =>
  satchelJson(["tier", "set", ...scope, ...words, "--data", server.folder]);
const partnerWide = (server, tier) => tierOf(server, ["--partner", server.partnerId], tier);
const ofLine = (server, tier, ...words) => tierOf(server, ["--line", line], tier, ...words);
const attachment = async (server, id) => {
  const answer = await server.api.get(id);
  assert.equal(answer.status, 200, String(answer.body));
  return jsonOf(answer);
};
const isSigned = (url) => new URL(url).searchParams.has("X-Amz-Signature");
const permanentUrl = (server, id) =>
  `${server.origin}/attachments/partners/${server.partnerId}/${id}/photo.jpg`;

async function assertGone(server, id) {
  assertError(await server.api.get(id), 404, 2003);
  assertError(await server.api.delete(id), 404, 2003);
  assertError(await createChat(server, { message: { parts: [media({ attachment_id: id })] } }), 404, 2003);
  assert.equal((await server.api.call("GET", `/v3/attachments/${id}/preview`)).status, 404);
  assert.equal((await request(permanentUrl(server, id))).status, 404);
}

// What must not be found in the folder once the attachment is gone.
async function tracesOf(server, id) {
  const rows = await query(
    server.folder,
    `SELECT hex(sealed_key) AS key, hex(sealed_name) AS name, hex(blob) AS blob
     FROM attachment_rows WHERE hex(id) = '${id.replaceAll("-", "").toUpperCase()}'`,
  );
  assert.equal(rows.length, 1);
  return ["key", "name", "blob"].map((column) => Buffer.from(rows[0][column], "hex"));
}

test("a partner's ephemeral attachment: signed for 15 minutes, gone after 24 hours", limit, async (t) => {
  const server = await start(t);
  const kept = await upload(server);
  const set = await partnerWide(server, "ephemeral");
  assert.equal(set.tier, "ephemeral");

  const created = await server.api.create({
    filename: "photo.jpg",
    contentType: "image/jpeg",
    size: photo.length,
  });
  assert.ok(isSigned(created.download_url), created.download_url);
  assert.equal(new URL(created.download_url).searchParams.get("X-Amz-Expires"), "900");
  assertXmlError(await request(created.download_url), 404, "NoSuchKey");
  assert.equal((await put(created, photo)).status, 200);
  const id = created.attachment_id;
  await server.advanceClock(1);

  const first = (await attachment(server, id)).download_url;
  await server.advanceClock(1);
  const second = (await attachment(server, id)).download_url;
  assert.notEqual(first, second, "each GET signs afresh");
  for (const url of [first, second]) {
    const whole = await request(url);
    assert.equal(whole.status, 200);
    assert.ok(whole.body.equals(photo));
    assert.equal(whole.headers["cache-control"], "private, no-store");
  }
  const head = await request(second, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers["content-length"], String(photo.length));
  const range = await request(second, { headers: { range: "bytes=2-9" } });
  assert.equal(range.status, 206);
  assert.ok(range.body.equals(photo.subarray(2, 10)));

  assert.equal((await request(permanentUrl(server, id))).status, 404, "only signed URLs lead to it");
  for (const altered of [
    second.replace(/(X-Amz-Signature=.)./, (all, before) => before + (all.endsWith("0") ? "1" : "0")),
    second.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"),
    second.replace("photo.jpg", "other.jpg"),
    second.split("?")[0],
  ]) {
    assert.equal((await request(altered)).status, 403, altered);
  }
  await server.advanceClock(15 * 60 + 1);
  assertXmlError(await request(second), 403, "AccessDenied", "Request has expired");
  const preview = await server.api.call("GET", `/v3/attachments/${id}/preview?width=64`);
  assert.equal(preview.status, 200);
  assert.match(preview.headers["cache-control"], /no-store/);

  const traces = await tracesOf(server, id);
  assert.notDeepEqual(findInFiles(server.folder, traces), [], "the search finds what is there");
  await server.advanceClock(day - 15 * 60 - 3 - 600);
  const last = (await attachment(server, id)).download_url;
  assert.equal((await request(last)).status, 200);
  await server.advanceClock(601);
  assert.equal((await request(last)).status, 404, "signed a moment ago, but its time is over");
  await assertGone(server, id);
  assert.deepEqual(findInFiles(server.folder, traces), []);
  assert.equal(storedBlobs(server.folder).stored.length, 1, "the bytes and the preview are gone");
  const [entry, ...others] = await satchelJson(["audit", "list", "--data", server.folder]);
  assert.deepEqual(others, []);
  assert.equal(entry.attachment_id, id);
  assert.equal(entry.cause, "expired");
  assert.equal(entry.actor, "sweeper");

  const still = await attachment(server, kept.attachment_id);
  assert.equal(still.download_url, kept.download_url, "what was there before is not touched");
  assert.ok((await request(still.download_url)).body.equals(photo));
});

test("uploads that never came leave with their 24 hours, too", limit, async (t) => {
  const server = await start(t);
  await partnerWide(server, "ephemeral");
  const { attachment_id: id } = await server.api.create({ filename: "a.txt", size: 5 });
  await server.advanceClock(16 * 60);
  assert.equal((await attachment(server, id)).status, "failed");
  const failed = await createChat(server, { message: { parts: [media({ attachment_id: id })] } });
  assertError(failed, 404, 2007);
  await server.advanceClock(day - 16 * 60);
  assertError(await server.api.get(id), 404, 2003);
  assert.equal((await query(server.folder, "SELECT 1 FROM attachments")).length, 0);
});

test("expiry is caught up with after a stop", limit, async (t) => {
  const server = await start(t);
  await partnerWide(server, "ephemeral");
  const { attachment_id: id } = await upload(server);
  const traces = await tracesOf(server, id);
  await server.stop();
  const again = await start(t, { data: server.folder });
  await attachment(again, id);
  await again.advanceClock(day + 3600);
  await assertGone(again, id);
  assert.deepEqual(findInFiles(again.folder, traces), []);
  assert.equal(storedBlobs(again.folder).stored.length, 0);
});

test("an ephemeral line: what is sent from it, and what comes in on it", limit, async (t) => {
  const server = await start(t);
  const client = sdk(server);
  const origin = await startOrigin(t, { "/p.jpg": { type: "image/jpeg", bytes: photo } });
  await ofLine(server, "ephemeral");

  const byId = await upload(server);
  assert.ok(!isSigned(byId.download_url), "its line is not known yet");
  await server.advanceClock(3600);
  const sent = await createChat(server, {
    message: { parts: [media(byId), mediaUrl(`${origin}/p.jpg`), text("see")] },
  });
  assert.equal(sent.status, 201, String(sent.body));
  const { chat } = jsonOf(sent);
  const [first, second] = chat.message.parts;
  for (const part of [first, second]) {
    assert.ok(isSigned(part.url), part.url);
    assert.ok((await request(part.url)).body.equals(photo));
  }
  assert.equal((await request(byId.download_url)).status, 404, "the permanent URL is dead");
  assert.ok(isSigned((await attachment(server, byId.attachment_id)).download_url));

  const memo = await server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, {
    body: {
      attachment_id: (await upload(server, recording, "memo.mp3", "audio/mpeg")).attachment_id,
    },
  });
  assert.equal(memo.status, 202, String(memo.body));
  assert.match(String(memo.body), /X-Amz-Signature/);

  const came = await receive(server, { line, from: nextPerson(), text: "look" }, [
    { bytes: photo, name: "in.jpg", type: "image/jpeg" },
  ]);
  assert.equal(came.status, 201);
  const received = await client.messages.retrieve((await came.json()).message_id);
  const file = received.parts.find((part) => part.type === "media");
  assert.ok(isSigned(file.url), file.url);

  // Sending it from a persistent line does not prolong its life.
  const elsewhere = await createChat(server, {
    from: otherLine,
    message: { parts: [media(byId)] },
  });
  assert.equal(elsewhere.status, 201);
  await server.advanceClock(day - 3600);
  await assertGone(server, byId.attachment_id);
  assert.ok((await attachment(server, second.id)).download_url, "its own day is not over");
  await server.advanceClock(3700);
  for (const id of [second.id, file.id]) await assertGone(server, id);
  const history = await client.messages.retrieve(chat.message.id);
  assert.equal(history.parts.length, 3, "the message stays");
  for (const part of history.parts.slice(0, 2)) {
    for (const member of ["id", "url", "filename", "mime_type", "size_bytes"]) {
      assert.equal(part[member], null, member);
    }
  }
  assert.equal(history.parts[2].value, "see");
});

test("an attachment of yesterday is not sent from an ephemeral line", limit, async (t) => {
  const server = await start(t);
  const old = await upload(server);
  await server.advanceClock(day + 1);
  await ofLine(server, "ephemeral");
  const refused = await createChat(server, { message: { parts: [media(old)] } });
  const body = assertError(refused, 409, 2015);
  assert.match(body.error.message, /Upload/);
  const kept = await attachment(server, old.attachment_id);
  assert.equal(kept.download_url, old.download_url, "and is not harmed");
  await ofLine(server, "persistent");
  assert.equal((await createChat(server, { message: { parts: [media(old)] } })).status, 201);
});

test("a line's copy of what another line sent is of its own tier", limit, async (t) => {
  const server = await start(t);
  const client = sdk(server);
  await ofLine(server, "ephemeral");
  const photoOf = await upload(server);
  const sent = jsonOf(
    await createChat(server, {
      from: otherLine,
      to: [line],
      message: { parts: [media(photoOf)] },
    }),
  );
  await reaches(client, sent.chat.message.id, "delivered");
  const chats = (await client.chats.listChats({ from: line })).chats;
  const [copy] = (await client.chats.messages.list(chats[0].id)).messages;
  assert.ok(isSigned(copy.parts[0].url));
  await server.advanceClock(day);
  await assertGone(server, copy.parts[0].id);
  assert.equal((await attachment(server, photoOf.attachment_id)).status, "complete");
});

test("ephemeral messages leave with everything that hangs from them", limit, async (t) => {
  const server = await start(t);
  const client = sdk(server);
  const shown = await ofLine(server, "ephemeral", "--messages");
  assert.equal(shown.message_tier, "ephemeral");
  const to = [nextPerson()];
  const photoOf = await upload(server);
  const send = () =>
    createChat(server, {
      to,
      message: { idempotency_key: "once", parts: [media(photoOf), text("for a day")] },
    });
  const { chat } = jsonOf(await send());
  const { id } = chat.message;
  assert.equal(jsonOf(await send()).chat.message.id, id);
  await reaches(client, id, "delivered");
  const loved = await server.api.call("POST", `/v3/messages/${id}/reactions`, {
    body: { operation: "add", type: "love", part_index: 1 },
  });
  assert.equal(loved.status, 202, String(loved.body));
  const inbound = await receive(server, { line, from: to[0], text: "an answer" });
  assert.ok(inbound.ok, await inbound.text());
  await server.advanceClock(3600);
  const reply = jsonOf(
    await sendInto(server, chat.id, [text("later")], { reply_to: { message_id: id } }),
  ).message;
  assert.equal((await client.chats.messages.list(chat.id)).messages.length, 3);

  await server.advanceClock(day - 3600);
  assertError(await server.api.call("GET", `/v3/messages/${id}`), 404, 2002);
  assertError(await server.api.call("DELETE", `/v3/messages/${id}`), 404, 2002);
  assertError(await server.api.call("GET", `/v3/messages/${id}/thread`), 404, 2002);
  assertError(await send(), 404, 2002);
  const late = await sendInto(server, chat.id, [text("x")], { reply_to: { message_id: id } });
  assertError(late, 404, 2002);
  const { messages } = await client.chats.messages.list(chat.id);
  assert.deepEqual(messages.map((each) => each.id), [reply.id]);
  assert.equal((await query(server.folder, "SELECT 1 FROM messages")).length, 1);
  for (const table of ["attachments", "reactions"]) {
    assert.equal((await query(server.folder, `SELECT 1 FROM ${table}`)).length, 0, table);
  }
  await ofLine(server, "persistent");
  const kept = jsonOf(await sendInto(server, chat.id, [text("kept")])).message;
  await server.advanceClock(2 * day);
  const after = (await client.chats.messages.list(chat.id)).messages;
  assert.deepEqual(after.map((each) => each.id), [kept.id]);
});

test("a webhook's URL is signed when the event is made, and the event ends with the file", limit, async (t) => {
  const server = await start(t);
  let status = 500;
  const receiver = await WebhookReceiver.start(t, () => status);
  const made = await server.api.call("POST", "/v3/webhook-subscriptions", {
    body: {
      target_url: `${receiver.origin}/?version=2026-02-03`,
      subscribed_events: ["message.received"],
    },
  });
  assert.equal(made.status, 201, String(made.body));
  await ofLine(server, "ephemeral");
  const come = () =>
    receive(server, { line, from: nextPerson() }, [
      { bytes: photo, name: "in.jpg", type: "image/jpeg" },
    ]);
  assert.equal((await come()).status, 201);
  await receiver.received("message.received", 1);
  await server.advanceClock(4);
  const [first, again] = await receiver.received("message.received", 2);
  assert.equal(first.body, again.body, "the same at every attempt");
  const { url } = first.json.data.parts[0];
  assert.ok((await request(url)).body.equals(photo));
  // It is given up after half an hour. A day later nobody may hear of it any more.
  for (let attempt = 0; attempt < 12; attempt += 1) await server.advanceClock(3 * 2 ** attempt);
  const failed = () => satchelJson(["webhook", "list-failed", "--data", server.folder]);
  assert.equal((await failed()).length, 1);
  await server.advanceClock(day);
  assert.deepEqual(await failed(), []);
  assert.equal((await query(server.folder, "SELECT 1 FROM webhook_outbox")).length, 0);
  const count = receiver.deliveries.length;
  status = 200;
  await satchel(["webhook", "replay", "--all", "--data", server.folder]);
  assert.equal((await come()).status, 201);
  await receiver.received("message.received", count + 1);
  assert.equal(receiver.deliveries.length, count + 1);
});

test("tier set and tier show say what holds", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  await tierOf(server, ["--line", otherLine], "persistent");
  await partnerWide(server, "ephemeral");
  const all = await satchelJson(["tier", "show", ...at]);
  assert.deepEqual(
    all.partners.map((each) => [each.partner_id, each.tier]),
    [[server.partnerId, "ephemeral"]],
  );
  assert.deepEqual(
    all.lines.map((each) => [each.number, each.tier, each.effective_tier, each.message_tier]),
    [
      [line, "persistent", "ephemeral", "persistent"],
      [otherLine, "persistent", "ephemeral", "persistent"],
    ],
  );
  const table = await satchel(["tier", "show", ...at]);
  assert.equal(table.code, 0);
  assert.match(table.stdout, /PARTNER ID.*TIER[\s\S]*LINE.*IN EFFECT/);
  for (const [words, code] of [
    [["ephemeral"], 2],
    [["--line", line], 2],
    [["--line", line, "short"], 2],
    [["--partner", "demo", "--line", line, "ephemeral"], 2],
    [["--partner", "demo", "--messages", "ephemeral"], 2],
    [["--line", "+15559999999", "ephemeral"], 1],
    [["--partner", "nobody", "ephemeral"], 1],
  ]) {
    const answer = await satchel(["tier", "set", ...words, ...at]);
    assert.equal(answer.code, code, `${words}: ${answer.stderr}`);
    assert.match(answer.stderr, /^satchel: .+\n$/);
  }
});
