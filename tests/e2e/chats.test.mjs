// Chats: begun, begun again, read and listed, as the official SDK does it.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  bytesAt, code, createChat, line, media, newChat, nextPerson, otherLine, photo, reaches, sdk, text,
  unknownId, upload,
} from "./support/messaging.mjs";
import { assertError, assertTraced, jsonOf } from "./support/partner_api.mjs";
import { assertShape, chatShape, createdChatShape, listOf } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const server = await startDev({ after });
const client = sdk(server);

test("a chat begins with a pre-uploaded photo, which is delivered and read back", limit, async () => {
  const uploaded = await upload(server);
  const person = nextPerson();
  const { chat } = await client.chats.create({
    from: line,
    to: [person],
    message: { parts: [text("Look at this"), media(uploaded)] },
  });
  assertShape(chat, createdChatShape);
  assert.equal(chat.is_group, false);
  assert.equal(chat.display_name, person);
  assert.equal(chat.service, "iMessage");
  assert.equal(chat.health_status.status, "HEALTHY");
  assert.deepEqual(
    chat.handles.map(({ handle, is_me, status, left_at }) => [handle, is_me, status, left_at]),
    [
      [line, true, "active", null],
      [person, false, "active", null],
    ],
  );
  assert.deepEqual(chat.message.from_handle, chat.handles[0]);
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
  assert.deepEqual(message.parts[1], part);
  assert.ok((await bytesAt(message.parts[1].url)).equals(photo));
});

test("creating a chat again with the same people, in any order, sends into the same chat", limit, async () => {
  const person = nextPerson();
  const to = [person, "ann@example.com"];
  const first = await newChat(server, { to });
  const again = await newChat(server, { to: [...to].reverse() });
  assert.equal(again.id, first.id);
  assert.notEqual(again.message.id, first.message.id);
  assert.equal(first.is_group, true);
  assert.equal(first.display_name, `${person}, ann@example.com`);
  const fromOther = await newChat(server, { from: otherLine, to });
  assert.notEqual(fromOther.id, first.id);
  const fewer = await newChat(server, { to: [person] });
  assert.notEqual(fewer.id, first.id);
  assert.equal(fewer.is_group, false);

  const chat = await client.chats.retrieve(first.id);
  assertShape({ ...chat }, chatShape);
  assert.equal(chat.group_chat_icon, null);
  assert.deepEqual(chat.handles, first.handles);
  const { message: _, ...same } = again;
  for (const name of Object.keys(same)) assert.deepEqual(chat[name], same[name], name);
  assert.ok(Date.parse(chat.updated_at) >= Date.parse(chat.created_at));
});

test("people who are named twice are one", limit, async () => {
  const person = nextPerson();
  const chat = await newChat(server, { to: [person, person] });
  assert.equal(chat.is_group, false);
  assert.equal(chat.handles.length, 2);
});

test("a chat has up to 31 others", limit, async () => {
  const many = Array.from({ length: 32 }, nextPerson);
  assert.equal((await newChat(server, { to: many.slice(1) })).handles.length, 32);
  assertError(await createChat(server, { to: many }), 400, 1005);
});

test("wrong beginnings are refused with the codes of the contract, and begin nothing", limit, async () => {
  const person = nextPerson();
  for (const [change, status, errorCode] of [
    [{ from: undefined }, 400, 1001],
    [{ from: null }, 400, 1001],
    [{ from: 15550100001 }, 400, 1003],
    [{ from: "" }, 400, 1002],
    [{ from: "5550100001" }, 400, 1002],
    [{ from: "+05550100001" }, 400, 1002],
    [{ from: "+1555010000112345" }, 400, 1002],
    [{ from: "+1 555 010 0001" }, 400, 1002],
    [{ from: "+15559999999" }, 403, 2006],
    [{ to: undefined }, 400, 1001],
    [{ to: null }, 400, 1001],
    [{ to: [] }, 400, 1005],
    [{ to: [""] }, 400, 1002],
    [{ to: ["nonsense"] }, 400, 1002],
    [{ to: [person, "1"] }, 400, 1002],
    [{ to: [person, null] }, 400, 1003],
    [{ to: ["@example.com"] }, 400, 1005],
    [{ to: "+15551234567" }, 400, 1003],
    [{ to: [line] }, 400, 1005],
    [{ message: undefined }, 400, 1001],
    [{ message: "hello" }, 400, 1003],
    [{ message: {} }, 400, 1001],
    [{ override_optout: "yes" }, 400, 1003],
  ]) {
    assertError(await createChat(server, { to: [person], ...change }), status, errorCode);
  }
  for (const body of ["", "{", "[]", '"text"']) {
    assertError(await server.api.call("POST", "/v3/chats", { body }), 400, 1003);
  }
  const page = jsonOf(await server.api.call("GET", `/v3/chats?to=${encodeURIComponent(person)}`));
  assert.deepEqual(page, { chats: [], next_cursor: null });
});

test("the first message has no link, no effect and answers nothing; later ones may", limit, async () => {
  const person = nextPerson();
  const effect = { type: "screen", name: "confetti" };
  for (const message of [
    { parts: [text("see https://example.com")] },
    { parts: [text("see www.example.com")] },
    { parts: [{ type: "link", value: "https://example.com" }] },
    { parts: [text("x")], effect },
    { parts: [text("x")], reply_to: { message_id: unknownId } },
  ]) {
    assertError(await createChat(server, { to: [person], message }), 400, 1005);
  }
  await newChat(server, { to: [person] });
  const later = await newChat(server, {
    to: [person],
    message: { parts: [text("see https://example.com")], effect },
  });
  assert.deepEqual(later.message.effect, effect);
});

test("chats are listed by their last message and filtered by line and participants", limit, async (t) => {
  const empty = await startDev(t);
  assert.deepEqual(jsonOf(await empty.api.call("GET", "/v3/chats")), { chats: [], next_cursor: null });
  const ids = [];
  for (let i = 0; i < 5; i += 1) {
    const chat = await newChat(empty, { from: i % 2 === 0 ? line : otherLine, to: [`+1555123000${i}`] });
    ids.push(chat.id);
  }
  await sdk(empty).chats.messages.send(ids[1], { message: { parts: [text("again")] } });
  const order = [ids[1], ids[4], ids[3], ids[2], ids[0]];
  const listed = [];
  for await (const chat of sdk(empty).chats.listChats({ limit: 2 })) listed.push(chat);
  assert.deepEqual(listed.map(({ id }) => id), order);
  assertShape(listed, listOf(chatShape));

  const list = async (query) => jsonOf(await empty.api.call("GET", `/v3/chats?${query}`));
  const idsOf = async (query) => (await list(query)).chats.map(({ id }) => id);
  assert.deepEqual(await idsOf(`from=${encodeURIComponent(line)}`), [ids[4], ids[2], ids[0]]);
  assert.deepEqual(await idsOf("from=%2B15559999999"), []);
  assert.deepEqual(await idsOf("to=%2B15551230003"), [ids[3]]);
  assert.deepEqual(await idsOf("to=+15551230003"), [ids[3]]);
  assert.deepEqual(await idsOf("to=%2B15551230003%2C%2B15551230001"), []);
  assertError(await empty.api.call("GET", "/v3/chats?from=nonsense"), 400, 1002);

  // Pages: all in one, one each, exactly full; a cursor outlives new messages.
  assert.equal((await list("limit=5")).next_cursor, null);
  assert.equal((await list("limit=100")).next_cursor, null);
  const first = await list("limit=4");
  assert.equal(typeof first.next_cursor, "string");
  const rest = await list(`limit=4&cursor=${encodeURIComponent(first.next_cursor)}`);
  assert.deepEqual(rest.chats.map(({ id }) => id), [ids[0]]);
  assert.equal(rest.next_cursor, null);
});

test("pages of chats have 20 by default, 100 at most, and honest cursors", limit, async (t) => {
  const many = await startDev(t);
  await Promise.all(Array.from({ length: 21 }, () => newChat(many)));
  const list = (query) => many.api.call("GET", `/v3/chats?${query}`);
  assert.equal(jsonOf(await list("")).chats.length, 20);
  assert.equal(jsonOf(await list("limit=1")).chats.length, 1);
  assert.equal(jsonOf(await list("limit=100")).chats.length, 21);
  for (const query of [
    "limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=1.5",
    "limit=99999999999999999999", "cursor=20", "cursor=", "cursor=%zz",
    `cursor=${"0".repeat(48)}`, `cursor=${"f".repeat(48)}`,
  ]) {
    assertError(await list(query), 400, 1005);
  }
});

test("a chat that is not there, or no id, is told apart", limit, async () => {
  await assert.rejects(client.chats.retrieve(unknownId), code(2001));
  for (const id of ["nonsense", `${unknownId}0`, "%20"]) {
    assertError(await server.api.call("GET", `/v3/chats/${id}`), 400, 1005);
  }
  const { id } = await newChat(server);
  const upperCase = await server.api.call("GET", `/v3/chats/${id.toUpperCase()}`);
  assertTraced(upperCase);
  assert.equal(jsonOf(upperCase).id, id);
});

test("a filter of chats by what is no handle is refused", limit, async () => {
  assertError(await server.api.call("GET", "/v3/chats?to=nonsense"), 400, 1002);
});

test("a link in a first message is refused before its attachment is looked for", limit, async () => {
  const parts = [text("https://example.com"), media({ attachment_id: unknownId })];
  assertError(await createChat(server, { message: { parts } }), 400, 1005);
});
