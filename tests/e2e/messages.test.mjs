// Messages as they are read back: one, a chat's, a thread's; and deleted.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  code, media, newChat, reaches, sdk, sendInto, text, unknownId, upload,
} from "./support/messaging.mjs";
import { assertError, assertTraced, jsonOf } from "./support/partner_api.mjs";
import { assertShape, goneMediaShape, listOf, messageShape } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const server = await startDev({ after }, { env: { SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" } });
const client = sdk(server);

const badPages = [
  "limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=2.0", "cursor=20", "cursor=",
  "cursor=%zz", `cursor=${"f".repeat(16)}`, `cursor=${"0".repeat(17)}`,
];

test("a message is read back with every member, those that know nothing as null", limit, async () => {
  const chat = await newChat(server);
  const raw = await server.api.call("GET", `/v3/messages/${chat.message.id}`);
  assertTraced(raw);
  assert.equal(raw.status, 200);
  assertShape(jsonOf(raw), messageShape);
  const message = await reaches(client, chat.message.id, "delivered");
  assertShape({ ...message }, messageShape);
  const expected = {
    id: chat.message.id,
    chat_id: chat.id,
    created_at: chat.message.created_at,
    is_from_me: true,
    is_delivered: true,
    is_read: false,
    from: chat.handles[0].handle,
    from_handle: chat.handles[0],
    parts: chat.message.parts,
    effect: null,
    reply_to: null,
    preferred_service: null,
    service: "iMessage",
    read_at: null,
  };
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(message[name], value, name);
  const [created, sent, delivered, updated] = ["created_at", "sent_at", "delivered_at", "updated_at"]
    .map((name) => Date.parse(message[name]));
  assert.ok(created <= sent && sent <= delivered && delivered <= updated);
});

test("messages of a chat are listed newest first, page by page, and deleted ones leave", limit, async () => {
  const chat = await newChat(server, { message: { parts: [text("0")] } });
  for (let i = 1; i <= 24; i += 1) await sendInto(server, chat.id, [text(`${i}`)]);
  const seen = [];
  for await (const message of client.chats.messages.list(chat.id, { limit: 10 })) seen.push(message);
  assertShape(seen, listOf(messageShape));
  const newestFirst = Array.from({ length: 25 }, (_, i) => `${24 - i}`);
  assert.deepEqual(seen.map((each) => each.parts[0].value), newestFirst);

  const list = async (query) =>
    jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages?${query}`));
  const first = await list("limit=10");
  await client.messages.delete(first.messages[9].id); // The cursor's own place.
  const second = await list(`limit=10&cursor=${first.next_cursor}`);
  assert.equal(second.messages[0].parts[0].value, "14");
  await client.messages.delete(seen[3].id);
  await assert.rejects(client.messages.retrieve(seen[3].id), code(2002));
  await assert.rejects(client.messages.delete(seen[3].id), code(2002));
  const page = await list("limit=100");
  assert.equal(page.messages.length, 23);
  assert.equal(page.next_cursor, null);
  assert.equal((await list("limit=23")).next_cursor, null);
  assert.equal((await list("limit=1")).messages.length, 1);

  for (const query of badPages) {
    assertError(await server.api.call("GET", `/v3/chats/${chat.id}/messages?${query}`), 400, 1005);
  }
  assertError(await server.api.call("GET", `/v3/chats/${unknownId}/messages`), 404, 2001);
  assertError(await server.api.call("GET", "/v3/chats/nonsense/messages"), 400, 1005);
});

test("a page of messages or of a thread has 50 by default", limit, async () => {
  const chat = await newChat(server);
  const reply = { reply_to: { message_id: chat.message.id } };
  await Promise.all(Array.from({ length: 50 }, () => sendInto(server, chat.id, [text("x")], reply)));
  for (const path of [`/v3/chats/${chat.id}/messages`, `/v3/messages/${chat.message.id}/thread`]) {
    const page = jsonOf(await server.api.call("GET", path));
    assert.equal(page.messages.length, 50);
    const rest = jsonOf(await server.api.call("GET", `${path}?cursor=${page.next_cursor}`));
    assert.equal(rest.messages.length, 1);
    assert.equal(rest.next_cursor, null);
    const whole = [...page.messages, ...rest.messages];
    assert.equal(new Set(whole.map(({ id }) => id)).size, 51);
  }
});

test("a chat whose messages are all deleted lists none and lives on", limit, async () => {
  const chat = await newChat(server);
  await client.messages.delete(chat.message.id);
  const path = `/v3/chats/${chat.id}/messages`;
  assert.deepEqual(jsonOf(await server.api.call("GET", path)), { messages: [], next_cursor: null });
  assert.equal((await sendInto(server, chat.id, [text("x")])).status, 202);
});

test("a delete answers 204 without a body and ignores one that older clients send", limit, async () => {
  const chat = await newChat(server);
  const answer = await server.api.call("DELETE", `/v3/messages/${chat.message.id}`, {
    body: { chat_id: chat.id },
  });
  assertTraced(answer);
  assert.equal(answer.status, 204);
  assert.equal(answer.body.length, 0);
  for (const method of ["GET", "DELETE"]) {
    for (const id of [chat.message.id, unknownId]) {
      assertError(await server.api.call(method, `/v3/messages/${id}`), 404, 2002);
    }
    assertError(await server.api.call(method, "/v3/messages/nonsense"), 400, 1005);
  }
});

test("deleting an attachment leaves its messages, whose part loses the reference", limit, async () => {
  const uploaded = await upload(server);
  const chat = await newChat(server, { message: { parts: [media(uploaded), text("a caption")] } });
  const again = jsonOf(await sendInto(server, chat.id, [media(uploaded)])).message;
  await reaches(client, chat.message.id, "delivered");
  await client.attachments.delete(uploaded.attachment_id);
  const message = await client.messages.retrieve(chat.message.id);
  assertShape(message.parts[0], goneMediaShape);
  assert.equal(message.parts[1].value, "a caption");
  const page = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  assertShape(page.messages.find(({ id }) => id === again.id).parts, [goneMediaShape]);
  const thread = jsonOf(await server.api.call("GET", `/v3/messages/${again.id}/thread`));
  assertShape(thread.messages[0].parts, [goneMediaShape]);
  assertError(await sendInto(server, chat.id, [media(uploaded)]), 404, 2003);
  // The part keeps its index, so that it can still be answered.
  const reply = { reply_to: { message_id: chat.message.id, part_index: 1 } };
  assert.equal((await sendInto(server, chat.id, [text("x")], reply)).status, 202);
});

test("deleting a message leaves its attachment", limit, async () => {
  const uploaded = await upload(server);
  const chat = await newChat(server, { message: { parts: [media(uploaded)] } });
  await client.messages.delete(chat.message.id);
  assert.equal((await client.attachments.retrieve(uploaded.attachment_id)).status, "complete");
});

test("replies make a thread", limit, async () => {
  const chat = await newChat(server, { message: { parts: [text("first")] } });
  const reply = async (to, value) =>
    jsonOf(await sendInto(server, chat.id, [text(value)], { reply_to: { message_id: to } })).message;
  const second = await reply(chat.message.id, "second");
  const third = await reply(second.id, "third");
  const alone = jsonOf(await sendInto(server, chat.id, [text("alone")])).message;

  const read = async (id, query = "") =>
    jsonOf(await server.api.call("GET", `/v3/messages/${id}/thread${query}`));
  const thread = async (id, query) => (await read(id, query)).messages.map(({ parts }) => parts[0].value);
  for (const id of [chat.message.id, second.id, third.id]) {
    assert.deepEqual(await thread(id), ["first", "second", "third"]);
  }
  assert.deepEqual(await thread(second.id, "?order=asc"), ["first", "second", "third"]);
  assert.deepEqual(await thread(second.id, "?order=desc&limit=2"), ["third", "second"]);
  assert.deepEqual(await thread(alone.id), ["alone"]);
  const whole = await read(third.id, "?limit=3");
  assert.equal(whole.next_cursor, null);
  assertShape(whole.messages, listOf(messageShape));
  const paged = [];
  for await (const each of client.messages.listMessagesThread(third.id, { limit: 2 })) paged.push(each.id);
  assert.deepEqual(paged, [chat.message.id, second.id, third.id]);
  const backwards = [];
  for await (const each of client.messages.listMessagesThread(third.id, { limit: 1, order: "desc" })) {
    backwards.push(each.id);
  }
  assert.deepEqual(backwards, [third.id, second.id, chat.message.id]);

  await client.messages.delete(chat.message.id);
  assert.deepEqual(await thread(third.id), ["second", "third"]);
  const elsewhere = await newChat(server);
  const strange = { reply_to: { message_id: second.id } };
  assertError(await sendInto(server, elsewhere.id, [text("x")], strange), 404, 2002);
  for (const query of [...badPages, "order=up", "order="]) {
    assertError(await server.api.call("GET", `/v3/messages/${third.id}/thread?${query}`), 400, 1005);
  }
  assertError(await server.api.call("GET", `/v3/messages/${chat.message.id}/thread`), 404, 2002);
  assertError(await server.api.call("GET", `/v3/messages/${unknownId}/thread`), 404, 2002);
  assertError(await server.api.call("GET", "/v3/messages/nonsense/thread"), 400, 1005);
});
