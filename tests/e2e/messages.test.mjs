// Chats and messages with pre-uploaded attachments, as the official SDK sends and reads them.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import LinqAPIV3 from "@linqapp/sdk";

import { until } from "./support/deadline.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { drawing, jpeg } from "./support/pictures.mjs";
import { run, satchelBinary, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const line = "+15550100001";
const otherLine = "+15550100002";
const unknownId = "00000000-0000-4000-8000-000000000000";
const photo = jpeg(drawing(320, 240));

function sdk(server, options = {}) {
  return new LinqAPIV3({ apiKey: server.key, baseURL: server.baseUrl, maxRetries: 0, ...options });
}

function upload(server, bytes = photo, filename = "photo.jpg", contentType = "image/jpeg") {
  return server.api.upload({ filename, contentType, bytes });
}

function code(expected) {
  return (error) => {
    assert.equal(error.error?.error?.code, expected, error.message);
    return true;
  };
}

async function reaches(client, id, status) {
  return until(
    async () => {
      const message = await client.messages.retrieve(id);
      return message.delivery_status === status && message;
    },
    { what: `message ${status}`, deadlineMs: 10_000 },
  );
}

const text = (value) => ({ type: "text", value });
const media = (attachment) => ({ type: "media", attachment_id: attachment.attachment_id });

test("a chat begins with a pre-uploaded photo, which is delivered and read back", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const uploaded = await upload(server);

  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [text("Look at this"), media(uploaded)] },
  });
  assert.equal(chat.is_group, false);
  assert.equal(chat.display_name, "+15551234567");
  assert.equal(chat.service, "iMessage");
  assert.equal(chat.health_status.status, "HEALTHY");
  assert.deepEqual(
    chat.handles.map(({ handle, is_me, status }) => [handle, is_me, status]),
    [
      [line, true, "active"],
      ["+15551234567", false, "active"],
    ],
  );
  assert.equal(chat.message.delivery_status, "pending");
  assert.equal(chat.message.sent_at, null);
  const part = {
    type: "media",
    id: uploaded.attachment_id,
    url: uploaded.download_url,
    filename: "photo.jpg",
    mime_type: "image/jpeg",
    size_bytes: photo.length,
    reactions: null,
  };
  assert.deepEqual(chat.message.parts[1], part);

  const message = await reaches(client, chat.message.id, "delivered");
  assert.equal(message.chat_id, chat.id);
  assert.equal(message.is_from_me, true);
  assert.equal(message.is_delivered, true);
  assert.equal(message.from, line);
  assert.equal(message.parts[0].value, "Look at this");
  assert.deepEqual(message.parts[1], part);
  assert.ok(Date.parse(message.delivered_at) >= Date.parse(message.created_at));
  const bytes = Buffer.from(await (await fetch(message.parts[1].url)).arrayBuffer());
  assert.ok(bytes.equals(photo));
});

test("creating a chat again with the same people, in any order, sends into the same chat", limit, async (t) => {
  const client = sdk(await startDev(t));
  const to = ["+15551230001", "ann@example.com"];
  const first = await client.chats.create({ from: line, to, message: { parts: [text("one")] } });
  const again = await client.chats.create({
    from: line,
    to: [...to].reverse(),
    message: { parts: [text("two")] },
  });
  assert.equal(again.chat.id, first.chat.id);
  assert.equal(first.chat.is_group, true);
  assert.equal(first.chat.display_name, "+15551230001, ann@example.com");
  const fromOther = await client.chats.create({
    from: otherLine,
    to,
    message: { parts: [text("three")] },
  });
  assert.notEqual(fromOther.chat.id, first.chat.id);
  const chat = await client.chats.retrieve(first.chat.id);
  assert.equal(chat.is_archived, false);
  assert.equal(chat.handles.length, 3);
});

test("messages of a chat are listed newest first, page by page, and deleted ones leave", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" } });
  const client = sdk(server);
  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [text("0")] },
  });
  for (let i = 1; i <= 24; i += 1) {
    const sent = await client.chats.messages.send(chat.id, { message: { parts: [text(`${i}`)] } });
    assert.equal(sent.chat_id, chat.id);
  }
  const seen = [];
  for await (const message of client.chats.messages.list(chat.id, { limit: 10 })) {
    seen.push(message);
  }
  assert.deepEqual(seen.map((each) => each.parts[0].value), Array.from({ length: 25 }, (_, i) => `${24 - i}`));

  await client.messages.delete(seen[3].id);
  await assert.rejects(client.messages.retrieve(seen[3].id), code(2002));
  await assert.rejects(client.messages.delete(seen[3].id), code(2002));
  const page = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages?limit=100`));
  assert.equal(page.messages.length, 24);
  assert.equal(page.next_cursor, null);

  for (const query of ["limit=0", "limit=101", "limit=x", "cursor=20", "cursor=%zz"]) {
    assertError(await server.api.call("GET", `/v3/chats/${chat.id}/messages?${query}`), 400, 1005);
  }
  assertError(await server.api.call("GET", `/v3/chats/${unknownId}/messages`), 404, 2001);
  assertError(await server.api.call("GET", "/v3/chats/nonsense/messages"), 400, 1005);
});

test("chats are listed by their last message and filtered by line and participants", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const ids = [];
  for (let i = 0; i < 5; i += 1) {
    const { chat } = await client.chats.create({
      from: i % 2 === 0 ? line : otherLine,
      to: [`+1555123000${i}`],
      message: { parts: [text("hello")] },
    });
    ids.push(chat.id);
  }
  await client.chats.messages.send(ids[1], { message: { parts: [text("again")] } });
  const order = [ids[1], ids[4], ids[3], ids[2], ids[0]];
  const listed = [];
  for await (const chat of client.chats.listChats({ limit: 2 })) listed.push(chat.id);
  assert.deepEqual(listed, order);

  const list = async (query) =>
    jsonOf(await server.api.call("GET", `/v3/chats?${query}`)).chats.map(({ id }) => id);
  assert.deepEqual(await list(`from=${encodeURIComponent(line)}`), [ids[4], ids[2], ids[0]]);
  assert.deepEqual(await list("to=%2B15551230003"), [ids[3]]);
  assert.deepEqual(await list("to=+15551230003"), [ids[3]]);
  assert.deepEqual(await list("to=%2B15551230003%2C%2B15551230001"), []);
  assertError(await server.api.call("GET", "/v3/chats?from=nonsense"), 400, 1002);
});

test("a send without a line goes out from the chat that was used last", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const to = ["+15551234567"];
  const { chat } = await client.chats.create({
    from: otherLine,
    to,
    message: { parts: [text("hello")] },
  });
  const reused = await client.messages.create({ to, message: { parts: [text("again")] } });
  assert.equal(reused.chat_id, chat.id);
  assert.equal(reused.from, otherLine);
  assert.equal(reused.created_new_chat, false);
  assert.deepEqual(reused.from_selection, {
    reason: "reused_active_chat",
    reused_existing_chat: true,
  });
  const fresh = await client.messages.create({
    to: ["+15551234568"],
    message: { parts: [{ type: "link", value: "https://example.com/" }] },
  });
  assert.equal(fresh.created_new_chat, true);
  assert.equal(fresh.from_selection.reason, "new_best_number");
  const answer = await server.api.call("POST", "/v3/messages", {
    body: { to, message: { parts: [text("x")] }, exclude_from: [line, otherLine] },
  });
  assertError(answer, 409, 2027);
});

test("an idempotency key sends once, in the body or the header, also after a restart", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const send = (api, key, headers = {}) =>
    api.call("POST", "/v3/chats", {
      headers,
      body: {
        from: line,
        to: ["+15551234567"],
        message: { parts: [text("once")], ...(key ? { idempotency_key: key } : {}) },
      },
    });
  const first = jsonOf(await send(server.api, "order-1"));
  await reaches(client, first.chat.message.id, "delivered");
  const repeated = await Promise.all(
    Array.from({ length: 8 }, () => send(server.api, "order-1", { "idempotency-key": "other" })),
  );
  for (const answer of repeated) {
    assert.equal(answer.status, 201);
    assert.deepEqual(jsonOf(answer).chat.message, first.chat.message);
  }
  const raced = await Promise.all(
    Array.from({ length: 8 }, () => send(server.api, null, { "idempotency-key": "order-2" })),
  );
  assert.equal(new Set(raced.map((answer) => jsonOf(answer).chat.message.id)).size, 1);

  await server.stop();
  const restarted = await startDev(t, { data: server.folder });
  const after = jsonOf(await send(restarted.api, "order-1"));
  assert.equal(after.chat.message.id, first.chat.message.id);
  await sdk(restarted).messages.delete(first.chat.message.id);
  assertError(await send(restarted.api, "order-1"), 404, 2002);
  const page = jsonOf(
    await restarted.api.call("GET", `/v3/chats/${first.chat.id}/messages`),
  );
  assert.equal(page.messages.length, 1);
  assertError(await send(restarted.api, "k".repeat(256)), 400, 1005);
});

test("deleting an attachment leaves its messages, whose part loses the reference", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const uploaded = await upload(server);
  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [media(uploaded), text("a caption")] },
  });
  await reaches(client, chat.message.id, "delivered");
  await client.attachments.delete(uploaded.attachment_id);
  const message = await client.messages.retrieve(chat.message.id);
  assert.deepEqual(message.parts[0], {
    type: "media",
    id: null,
    url: null,
    filename: null,
    mime_type: null,
    size_bytes: null,
    reactions: null,
  });
  assert.equal(message.parts[1].value, "a caption");
  await assert.rejects(
    client.chats.messages.send(chat.id, { message: { parts: [media(uploaded)] } }),
    code(2003),
  );
});

test("deleting a message leaves its attachment", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const uploaded = await upload(server);
  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [media(uploaded)] },
  });
  await client.messages.delete(chat.message.id);
  assert.equal((await client.attachments.retrieve(uploaded.attachment_id)).status, "complete");
});

test("nothing is stored unless every part is right", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const good = await upload(server);
  const pending = await server.api.create({ filename: "a.txt", size: 3 });
  const program = Buffer.concat([Buffer.from("MZ"), Buffer.alloc(100)]);
  const forbidden = await upload(server, program, "a.txt", "text/plain");
  const create = (parts, extra = {}) =>
    server.api.call("POST", "/v3/chats", {
      body: { from: line, to: ["+15551234567"], message: { parts, ...extra } },
    });
  const wrong = [
    [[], 400, 1004],
    [[text("")], 400, 1004],
    [[text("x".repeat(10_001))], 400, 1004],
    [[text("a"), text("b")], 400, 1004],
    [[{ type: "media" }], 400, 1004],
    [[{ ...media(good), url: "https://example.com/a.jpg" }], 400, 1004],
    [[{ type: "media", url: "ftp://example.com/a.jpg" }], 400, 1005],
    [[{ type: "media", attachment_id: "nonsense" }], 400, 1005],
    [[{ type: "media", attachment_id: unknownId }], 404, 2003],
    [[media(good), media(pending)], 404, 2007],
    [[media(good), media(forbidden)], 400, 5004],
    [[{ type: "nonsense" }], 400, 1004],
    [[{ value: "x" }], 400, 1001],
    ["text", 400, 1003],
    [[text("see https://example.com")], 400, 1005],
    [[{ type: "link", value: "https://example.com" }], 400, 1005],
    [Array.from({ length: 101 }, () => media(good)), 400, 1004],
    [[media({ attachment_id: unknownId }), text("")], 400, 1004],
  ];
  for (const [parts, status, errorCode] of wrong) {
    assertError(await create(parts), status, errorCode);
  }
  assertError(await create([text("x")], { effect: { type: "screen", name: "confetti" } }), 400, 1005);
  assertError(await create([text("x")], { reply_to: { message_id: unknownId } }), 400, 1005);
  assert.deepEqual(jsonOf(await server.api.call("GET", "/v3/chats")).chats, []);

  const body = { from: line, to: ["+15551234567"], message: { parts: [text("x")] } };
  for (const [change, status, errorCode] of [
    [{ from: undefined }, 400, 1001],
    [{ from: "5550100001" }, 400, 1002],
    [{ from: "+15559999999" }, 403, 2006],
    [{ to: undefined }, 400, 1001],
    [{ to: [] }, 400, 1005],
    [{ to: ["nonsense"] }, 400, 1002],
    [{ to: "+15551234567" }, 400, 1003],
    [{ message: undefined }, 400, 1001],
  ]) {
    const answer = await server.api.call("POST", "/v3/chats", { body: { ...body, ...change } });
    assertError(answer, status, errorCode);
  }
  const sent = await client.chats.create(body);
  const whole = await client.chats.messages.send(sent.chat.id, {
    message: { parts: Array.from({ length: 100 }, () => media(good)) },
  });
  assert.equal(whole.message.parts.length, 100);
});

test("a recipient's last digits choose the fate of what it is sent", limit, async (t) => {
  const client = sdk(await startDev(t));
  const sendTo = async (to) => {
    const created = await client.chats.create({ from: line, to: [to], message: { parts: [text("x")] } });
    return created.chat.message.id;
  };
  const fates = [
    ["+15551230401", "failed"],
    ["+15551230405", "failed"],
    ["+15551230499", "queued"],
    ["+15551230777", "read"],
  ];
  for (const [to, status] of fates) {
    const message = await reaches(client, await sendTo(to), status);
    assert.equal(message.is_read, status === "read");
    assert.equal(message.sent_at === null, status !== "read");
  }
});

test("another line of the server receives the message and its photo", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const uploaded = await upload(server);
  await client.chats.create({
    from: line,
    to: [otherLine],
    message: { parts: [text("for you"), media(uploaded)] },
  });
  const list = async () =>
    jsonOf(await server.api.call("GET", `/v3/chats?from=${encodeURIComponent(otherLine)}`)).chats;
  const [chat] = await until(async () => (await list()).length > 0 && list(), {
    what: "the other line's chat",
    deadlineMs: 10_000,
  });
  const page = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  const [message] = page.messages;
  assert.equal(message.is_from_me, false);
  assert.equal(message.delivery_status, "received");
  assert.equal(message.from, line);
  assert.equal(message.parts[0].value, "for you");
  assert.notEqual(message.parts[1].id, uploaded.attachment_id);
  assert.equal(message.parts[1].filename, "photo.jpg");

  await client.attachments.delete(uploaded.attachment_id);
  const bytes = Buffer.from(await (await fetch(message.parts[1].url)).arrayBuffer());
  assert.ok(bytes.equals(photo));
  assert.equal((await client.attachments.retrieve(message.parts[1].id)).size_bytes, photo.length);
});

test("replies make a thread", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [text("first")] },
  });
  const reply = async (to, value) => {
    const sent = await client.chats.messages.send(chat.id, {
      message: { parts: [text(value)], reply_to: { message_id: to } },
    });
    return sent.message;
  };
  const second = await reply(chat.message.id, "second");
  assert.deepEqual(second.reply_to, { message_id: chat.message.id, part_index: 0 });
  const third = await reply(second.id, "third");
  const alone = await client.chats.messages.send(chat.id, { message: { parts: [text("alone")] } });

  const thread = async (id, query = "") =>
    jsonOf(await server.api.call("GET", `/v3/messages/${id}/thread${query}`)).messages.map(
      (each) => each.parts[0].value,
    );
  for (const id of [chat.message.id, second.id, third.id]) {
    assert.deepEqual(await thread(id), ["first", "second", "third"]);
  }
  assert.deepEqual(await thread(second.id, "?order=desc&limit=2"), ["third", "second"]);
  assert.deepEqual(await thread(alone.message.id), ["alone"]);
  const paged = [];
  for await (const each of client.messages.listMessagesThread(third.id, { limit: 2 })) {
    paged.push(each.id);
  }
  assert.deepEqual(paged, [chat.message.id, second.id, third.id]);
  assertError(await server.api.call("GET", `/v3/messages/${unknownId}/thread`), 404, 2002);
  await assert.rejects(reply(unknownId, "x"), code(2002));
});

test("a voice memo is sent from a pre-uploaded recording", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const recording = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\0\0", "latin1"), Buffer.alloc(500)]);
  const memo = await upload(server, recording, "memo.mp3", "audio/mp3");
  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [text("listen")] },
  });
  const { voice_memo: sent } = await client.chats.sendVoicememo(chat.id, {
    attachment_id: memo.attachment_id,
  });
  assert.equal(sent.status, "queued");
  assert.equal(sent.from, line);
  assert.deepEqual(sent.to, ["+15551234567"]);
  assert.equal(sent.chat.id, chat.id);
  assert.equal(sent.chat.is_active, true);
  assert.equal(sent.voice_memo.id, memo.attachment_id);
  assert.equal(sent.voice_memo.mime_type, "audio/mpeg");
  const message = await reaches(client, sent.id, "delivered");
  assert.equal(message.parts[0].id, memo.attachment_id);

  const picture = await upload(server);
  const post = (body) => server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, { body });
  assertError(await post({}), 400, 1004);
  assertError(await post({ attachment_id: "nonsense" }), 400, 1005);
  assertError(await post({ attachment_id: unknownId }), 404, 2003);
  assertError(await post({ attachment_id: picture.attachment_id }), 400, 5004);
});

test("a sender may write to one recipient thirty times a minute", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const create = (to) =>
    server.api.call("POST", "/v3/chats", {
      body: { from: line, to: [to], message: { parts: [text("x")] } },
    });
  for (let i = 0; i < 30; i += 1) assert.equal((await create("+15551234567")).status, 201);
  const refused = await create("+15551234567");
  const { error } = assertError(refused, 429, 1007);
  assert.equal(String(error.retry_after), refused.headers["retry-after"]);
  assert.ok(error.retry_after >= 1 && error.retry_after <= 60);
  assert.equal((await create("+15551234568")).status, 201);
  await server.advanceClock(60);
  assert.equal((await create("+15551234567")).status, 201);
});

test("phone numbers are the partner's lines, by both paths", limit, async (t) => {
  const client = sdk(await startDev(t));
  const { phone_numbers: numbers } = await client.phoneNumbers.list();
  assert.deepEqual(numbers.map((each) => each.phone_number), [line, otherLine]);
  assert.equal(numbers[0].reputation.status, "HEALTHY");
  assert.equal(numbers[0].forwarding_number, null);
  const { phone_numbers: old } = await client.phonenumbers.list();
  assert.deepEqual(old.map((each) => each.id), numbers.map((each) => each.id));
  assert.deepEqual(old[0].capabilities, { sms: true, mms: true, voice: false });
});

function receive(server, message, files = []) {
  const form = new FormData();
  form.set("message", new Blob([JSON.stringify(message)], { type: "application/json" }));
  for (const { bytes, name, type } of files) form.append("media", new Blob([bytes], { type }), name);
  return fetch(`${server.adminUrl}/admin/v1/inbound`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body: form,
  });
}

test("an inbound picture is stored for the line's partner and answered in its chat", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const big = Buffer.alloc(700_000, "0123456789\r\n--");
  const answer = await receive(server, { line, from: "+15551234567", text: "hi" }, [
    { bytes: photo, name: "photo.jpg", type: "image/jpeg" },
    { bytes: big, name: "notes.txt", type: "text/plain" },
  ]);
  assert.equal(answer.status, 201, await answer.clone().text());
  const stored = await answer.json();
  const message = await client.messages.retrieve(stored.message_id);
  assert.equal(message.is_from_me, false);
  assert.equal(message.from, "+15551234567");
  assert.equal(message.parts[0].value, "hi");
  assert.equal(message.parts[1].mime_type, "image/jpeg");
  for (const [index, bytes] of [[1, photo], [2, big]]) {
    const got = Buffer.from(await (await fetch(message.parts[index].url)).arrayBuffer());
    assert.ok(got.equals(bytes), `part ${index}`);
  }
  assert.equal((await client.attachments.retrieve(message.parts[1].id)).filename, "photo.jpg");
  const back = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [{ type: "media", url: message.parts[1].url }] },
  });
  assert.equal(back.chat.id, stored.chat_id);
  assert.equal(back.chat.message.parts[0].id, message.parts[1].id);

  assert.equal((await receive(server, { line: "+15559999999", from: "+15551234567", text: "x" })).status, 404);
  assert.equal((await receive(server, { line, from: "+15551234567" })).status, 400);
  const program = { bytes: Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(9)]), name: "a.txt", type: "text/plain" };
  assert.equal((await receive(server, { line, from: "+15551234567", text: "x" }, [program])).status, 400);
});

test("who writes STOP gets nothing until they write anything else", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const to = "+15551234567";
  const send = (extra = {}) =>
    server.api.call("POST", "/v3/chats", {
      body: { from: otherLine, to: [to], message: { parts: [text("hello")] }, ...extra },
    });
  const stopped = await (await receive(server, { line, from: to, text: " STOP\n" })).json();
  assert.equal((await client.chats.retrieve(stopped.chat_id)).health_status.status, "OPTED_OUT");
  assertError(await send(), 403, 2024);
  assert.equal((await send({ override_optout: true })).status, 201);
  assert.equal((await send({ to: [to, "+15551234568"] })).status, 201);
  await receive(server, { line, from: to, text: "stop it" });
  assert.equal((await client.chats.retrieve(stopped.chat_id)).health_status.status, "HEALTHY");
  assert.equal((await send()).status, 201);
});

test("a URL of our own is a reference; another partner's or a deleted one is unknown", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const uploaded = await upload(server);
  const send = (url) =>
    server.api.call("POST", "/v3/chats", {
      body: { from: line, to: ["+15551234567"], message: { parts: [{ type: "media", url }] } },
    });
  const sent = jsonOf(await send(uploaded.download_url));
  assert.equal(sent.chat.message.parts[0].id, uploaded.attachment_id);
  assertError(await send(uploaded.download_url.replace(server.partnerId, unknownId)), 404, 2003);
  await client.attachments.delete(uploaded.attachment_id);
  assertError(await send(uploaded.download_url), 404, 2003);
});

test("media by URL is downloaded in the request and gets an attachment of its own", limit, async (t) => {
  const server = await startDev(t);
  const client = sdk(server);
  const origin = createServer((request, response) => {
    if (request.url.startsWith("/photo")) {
      response.writeHead(200, { "content-type": "image/jpeg" }).end(photo);
    } else if (request.url === "/huge") {
      response.writeHead(200, { "content-type": "image/jpeg" });
      response.end(Buffer.alloc(10_485_761, 1));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => origin.listen(0, "127.0.0.1", resolve));
  t.after(() => origin.close());
  const base = `http://127.0.0.1:${origin.address().port}`;
  const send = (url) =>
    server.api.call("POST", "/v3/chats", {
      body: { from: line, to: ["+15551234567"], message: { parts: [{ type: "media", url }] } },
    });
  const sent = jsonOf(await send(`${base}/photo%20one.jpg?size=2`));
  const [part] = sent.chat.message.parts;
  assert.equal(part.filename, "photo one.jpg");
  assert.equal(part.mime_type, "image/jpeg");
  assert.equal(part.size_bytes, photo.length);
  const got = Buffer.from(await (await fetch(part.url)).arrayBuffer());
  assert.ok(got.equals(photo));
  assert.equal((await client.attachments.retrieve(part.id)).status, "complete");
  const again = jsonOf(await send(`${base}/photo%20one.jpg?size=2`));
  assert.notEqual(again.chat.message.parts[0].id, part.id);
  assertError(await send(`${base}/missing`), 400, 5007);
  assertError(await send(`${base}/huge`), 400, 5005);
});

test("calls that are not offered say so", limit, async (t) => {
  const server = await startDev(t);
  assertError(await server.api.call("POST", `/v3/chats/${unknownId}/polls`, { body: {} }), 403, 2011);
  assertError(await server.api.call("GET", "/v3/payments/handles/x/connection"), 403, 2011);
  assertError(await server.api.call("GET", "/v3/nonsense"), 404, 2001);
});

test("a send that races the delete of its attachment carries it or fails", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" } });
  const client = sdk(server);
  const { chat } = await client.chats.create({
    from: line,
    to: ["+15551234567"],
    message: { parts: [text("x")] },
  });
  for (let round = 0; round < 10; round += 1) {
    const uploaded = await upload(server);
    const send = () =>
      server.api.call("POST", `/v3/chats/${chat.id}/messages`, {
        body: { message: { parts: [media(uploaded)] } },
      });
    const [first, , second] = await Promise.all([send(), server.api.delete(uploaded.attachment_id), send()]);
    for (const answer of [first, second]) {
      if (answer.status === 404) assertError(answer, 404, 2003);
      else assert.equal(jsonOf(answer).message.parts[0].id, uploaded.attachment_id);
    }
  }
});

test("satchel receive lets a message with a file come in", limit, async (t) => {
  const server = await startDev(t);
  const path = join(temporaryFolder(t), "photo.jpg");
  writeFileSync(path, photo);
  const args = ["receive", "--line", line, "--from", "+15551234567", "--data", server.folder];
  const ran = await run(satchelBinary, [...args, "--text", "hi", "--media", path, "--json"]);
  assert.equal(ran.code, 0, ran.stderr);
  const message = await sdk(server).messages.retrieve(JSON.parse(ran.stdout).message_id);
  assert.equal(message.parts[0].value, "hi");
  assert.equal(message.parts[1].filename, "photo.jpg");
  assert.equal((await run(satchelBinary, args)).code, 1);
});

test("what was answered is delivered, also when the server is killed right after", limit, async (t) => {
  const env = { SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" };
  const server = await startDev(t, { env });
  const uploaded = await upload(server);
  const { chat } = await sdk(server).chats.create({
    from: line,
    to: [otherLine],
    message: { parts: [text("0")] },
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      server.api.call("POST", `/v3/chats/${chat.id}/messages`, {
        body: { message: { parts: [text(`${i + 1}`), media(uploaded)] } },
      }),
    ),
  );
  await server.kill9();
  const ids = answers.map((answer) => jsonOf(answer).message.id);

  const restarted = await startDev(t, { data: server.folder, env });
  const client = sdk(restarted);
  for (const id of ids) await reaches(client, id, "delivered");
  const chats = jsonOf(
    await restarted.api.call("GET", `/v3/chats?from=${encodeURIComponent(otherLine)}`),
  ).chats;
  assert.equal(chats.length, 1);
  const received = [];
  for await (const each of client.chats.messages.list(chats[0].id, { limit: 100 })) {
    received.push(each.parts[0].value);
  }
  const sent = Array.from({ length: 101 }, (_, i) => `${i}`);
  assert.deepEqual(received.sort(), sent.sort());
});
