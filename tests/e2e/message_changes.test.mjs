// What changes a message that is out, and parts beyond text, media and link.

import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { firstMessage, heard, listen, receive, refusal, sdkOf, text } from "./support/partner_client.mjs";
import { drawing, jpeg } from "./support/pictures.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const line = "+15550100001";
const otherLine = "+15550100002";
const ann = "+15551230001";
const ben = "+15551230002";
const unknownId = "00000000-0000-4000-8000-000000000000";
const photo = jpeg(drawing(64, 48));

async function makeChat(client, to, message = firstMessage()) {
  return (await client.chats.create({ from: line, to, message })).chat;
}

// The newest message that `from` has of this line, once it is there.
function copyOf(client, from) {
  return until(
    async () => {
      const [chat] = (await client.chats.listChats({ from, to: line })).chats;
      return chat && (await client.chats.messages.list(chat.id)).messages[0];
    },
    { what: `a copy at ${from}`, deadlineMs: 20_000 },
  );
}

test("a text is edited, here and in the other line's copy, and both are told", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["message.edited"]);
  const older = await listen(t, client, ["message.edited", "reaction.added"], "2025-01-01");
  const chat = await makeChat(client, [otherLine], {
    parts: [{ ...text("Helo"), text_decorations: [{ range: [0, 4], style: "bold" }] }],
  });
  const copy = await copyOf(client, otherLine);
  const edited = await client.messages.update(chat.message.id, { text: "Hello" });
  assert.equal(edited.id, chat.message.id);
  assert.equal(edited.parts[0].value, "Hello");
  assert.equal(edited.parts[0].text_decorations, null);
  assert.ok(Date.parse(edited.updated_at) > Date.parse(edited.created_at));
  assert.deepEqual(await client.messages.retrieve(edited.id), edited);
  assert.equal((await client.messages.retrieve(copy.id)).parts[0].value, "Hello");

  const [own] = await heard(receiver, "message.edited", chat.id);
  assert.deepEqual(Object.keys(own).sort(), ["chat", "direction", "edited_at", "id", "part", "sender_handle"]);
  assert.deepEqual([own.id, own.direction, own.part], [edited.id, "outbound", { index: 0, text: "Hello" }]);
  const [theirs] = await heard(receiver, "message.edited", copy.chat_id);
  assert.deepEqual([theirs.id, theirs.direction, theirs.sender_handle.handle], [copy.id, "inbound", line]);

  await client.messages.addReaction(edited.id, { operation: "add", type: "like" });
  await heard(older, "reaction.added", chat.id);
  assert.ok(older.deliveries.every(({ json }) => json.event_type !== "message.edited"));
});

test("five edits, fifteen minutes, own texts: the sixth, the late and the foreign are refused", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const client = sdkOf(server);
  const uploaded = await server.api.upload({ filename: "a.jpg", contentType: "image/jpeg", bytes: photo });
  const chat = await makeChat(client, [ann], {
    parts: [text("one"), { type: "media", attachment_id: uploaded.attachment_id }, text("two")],
  });
  const { id } = chat.message;
  const edit = (body, message = id) => client.messages.update(message, body);
  await assert.rejects(edit({ text: "x", part_index: 1 }), refusal(409, 2015));
  await assert.rejects(edit({ text: "x", part_index: 3 }), refusal(400, 1005));
  await assert.rejects(edit({ text: "x", part_index: -1 }), refusal(400, 1005));
  await assert.rejects(edit({ text: "" }), refusal(400, 1004));
  await assert.rejects(edit({ text: "x".repeat(10_001) }), refusal(400, 1004));
  await assert.rejects(edit({}), refusal(400, 1001));
  await assert.rejects(edit({ text: "x" }, unknownId), refusal(404, 2002));
  for (let i = 1; i <= 5; i += 1) await edit({ text: `edit ${i}`, part_index: 2 });
  await assert.rejects(edit({ text: "x" }), refusal(409, 2015));
  const now = await client.messages.retrieve(id);
  assert.deepEqual([now.parts[0].value, now.parts[1].id, now.parts[2].value], ["one", uploaded.attachment_id, "edit 5"]);

  const late = await client.chats.messages.send(chat.id, { message: firstMessage() });
  await until(
    async () => (await client.messages.retrieve(late.message.id)).delivery_status === "delivered",
    { what: "delivery before the clock moves", deadlineMs: 20_000 },
  );
  await server.advanceClock(15 * 60 + 5);
  await assert.rejects(edit({ text: "x" }, late.message.id), refusal(409, 2015));
  const inbound = await receive(server, { line, from: ann, text: "hi" });
  await assert.rejects(edit({ text: "x" }, inbound.message_id), refusal(409, 2015));
});

test("reactions are shown at their part, told, replaced and taken away, on both lines", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["reaction.added", "reaction.removed"]);
  const uploaded = await server.api.upload({ filename: "a.jpg", contentType: "image/jpeg", bytes: photo });
  const chat = await makeChat(client, [otherLine], {
    parts: [text("look"), { type: "media", attachment_id: uploaded.attachment_id }],
  });
  const { id } = chat.message;
  const copy = await copyOf(client, otherLine);
  assert.equal(copy.parts[1].reactions, null);

  const answer = await client.messages.addReaction(copy.id, { operation: "add", type: "love", part_index: 1 });
  assert.deepEqual([answer.status, Object.keys(answer).sort()], ["accepted", ["message", "status", "trace_id"]]);
  const shown = async (message) => (await client.messages.retrieve(message)).parts.map((part) => part.reactions);
  const [none, [mine]] = await shown(copy.id);
  assert.equal(none, null);
  assert.deepEqual(Object.keys(mine).sort(), ["custom_emoji", "handle", "is_me", "sticker", "type"]);
  assert.deepEqual([mine.type, mine.is_me, mine.handle.handle, mine.custom_emoji, mine.sticker],
    ["love", true, otherLine, null, null]);
  const [, [theirs]] = await shown(id);
  assert.deepEqual([theirs.type, theirs.is_me, theirs.handle.handle], ["love", false, otherLine]);

  const [told] = await heard(receiver, "reaction.added", chat.id);
  assert.deepEqual(Object.keys(told).sort(), [
    "chat_id", "custom_emoji", "from", "from_handle", "is_from_me", "message_id", "part_index",
    "reacted_at", "reaction_type", "service", "sticker",
  ]);
  assert.deepEqual([told.message_id, told.part_index, told.reaction_type, told.is_from_me, told.from],
    [id, 1, "love", false, otherLine]);
  assert.equal((await heard(receiver, "reaction.added", copy.chat_id))[0].is_from_me, true);

  const party = "\u{1F389}";
  const custom = { type: "custom", custom_emoji: party, part_index: 1 };
  await client.messages.addReaction(copy.id, { operation: "add", ...custom });
  assert.deepEqual((await shown(id))[1].map((each) => [each.type, each.custom_emoji]), [["custom", party]]);
  await client.messages.addReaction(id, { operation: "add", type: "laugh", part_index: 1 });
  const listed = (await client.chats.messages.list(copy.chat_id)).messages[0];
  assert.deepEqual(listed.parts[1].reactions.map((each) => [each.type, each.is_me]), [["custom", true], ["laugh", false]]);
  await client.messages.addReaction(copy.id, { operation: "remove", type: "love", part_index: 1 });
  await client.messages.addReaction(copy.id, { operation: "remove", ...custom });
  assert.deepEqual((await shown(id))[1].map((each) => each.type), ["laugh"]);
  const removed = await heard(receiver, "reaction.removed", chat.id, 2);
  assert.deepEqual(removed.map((each) => [each.reaction_type, each.custom_emoji]), [["love", null], ["custom", party]]);
});

test("what a reaction must be", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const chat = await makeChat(client, [ann]);
  const react = (body, id = chat.message.id) => client.messages.addReaction(id, body);
  await assert.rejects(react({ operation: "add", type: "sticker" }), refusal(400, 1005));
  await assert.rejects(react({ operation: "add", type: "hate" }), refusal(400, 1005));
  await assert.rejects(react({ operation: "toggle", type: "love" }), refusal(400, 1005));
  await assert.rejects(react({ type: "love" }), refusal(400, 1001));
  await assert.rejects(react({ operation: "add" }), refusal(400, 1001));
  await assert.rejects(react({ operation: "add", type: "custom" }), refusal(400, 1001));
  await assert.rejects(react({ operation: "add", type: "custom", custom_emoji: "" }), refusal(400, 1005));
  await assert.rejects(react({ operation: "add", type: "love", part_index: 1 }), refusal(400, 1005));
  await assert.rejects(react({ operation: "add", type: "love" }, unknownId), refusal(404, 2002));
  await assert.rejects(react({ operation: "add", type: "love" }, "x"), refusal(400, 1005));
  assert.equal((await client.messages.retrieve(chat.message.id)).parts[0].reactions, null);
});

const card = (changes = {}) => ({
  type: "imessage_app",
  app: { bundle_id: "com.example.chess.extension", name: "Chess", team_id: "ABCDE12345" },
  layout: { caption: "Your move", subcaption: "e4" },
  url: "https://example.com/game?id=1",
  ...changes,
});

test("an app card is sent, shown, told and copied; its image is kept by us", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["message.sent", "message.received"]);
  const uploaded = await server.api.upload({ filename: "a.jpg", contentType: "image/jpeg", bytes: photo });
  const layout = { caption: "Your move", image_title: "Round 2", image_url: uploaded.download_url };
  const chat = await makeChat(client, [otherLine], {
    parts: [card({ layout, fallback_text: "A chess move", app: { ...card().app, app_store_id: 42 } })],
  });
  const expected = {
    type: "imessage_app",
    app: { ...card().app, app_store_id: 42 },
    layout,
    url: card().url,
    fallback_text: "A chess move",
    reactions: null,
  };
  assert.deepEqual(chat.message.parts, [expected]);
  assert.deepEqual((await client.messages.retrieve(chat.message.id)).parts, [expected]);
  const [sent] = await heard(receiver, "message.sent", chat.id);
  const { reactions: _, ...told } = { ...expected, layout: { caption: "Your move" } };
  assert.deepEqual(sent.parts, [told]);
  assert.equal((await copyOf(client, otherLine)).parts[0].layout.caption, "Your move");
  await client.attachments.delete(uploaded.attachment_id);
  const { image_url: __, ...rest } = layout;
  assert.deepEqual((await client.messages.retrieve(chat.message.id)).parts[0].layout, rest);
});

test("what an app card must be", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const chat = await makeChat(client, [ann]);
  const send = (part, more = {}) =>
    client.chats.messages.send(chat.id, { message: { parts: [part].flat(), ...more } });
  const bad = refusal(400, 1008);
  await assert.rejects(send(card({ app: { ...card().app, team_id: "abcde12345" } })), bad);
  await assert.rejects(send(card({ app: { ...card().app, bundle_id: "a:b" } })), bad);
  await assert.rejects(send(card({ layout: {} })), bad);
  await assert.rejects(send(card({ layout: { caption: "a", image_title: "b" } })), bad);
  await assert.rejects(send(card({ url: "http://example.com" })), bad);
  await assert.rejects(send(card({ url: `https://example.com/${"x".repeat(2048)}` })), bad);
  await assert.rejects(send(card({ url: `data:,${"x".repeat(16_384)}` })), bad);
  await assert.rejects(send(card({ app: undefined })), refusal(400, 1001));
  await assert.rejects(send([card(), text("too")]), refusal(400, 1004));
  await assert.rejects(send(card(), { preferred_service: "SMS" }), refusal(409, 2018));
  await assert.rejects(send({ type: "app_clip", value: "https://example.com" }), refusal(403, 2011));
  await send(card({ url: `data:,${"x".repeat(16_000)}` }));
});

test("a mention names a participant of a group and is shown with its range", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const group = await makeChat(client, [ann, ben]);
  const direct = await makeChat(client, [ann]);
  const send = (id, part) => client.chats.messages.send(id, { message: { parts: [{ ...text("Hi Ann!"), ...part }] } });
  const sent = await send(group.id, { mention: ann, mention_range: [3, 6] });
  for (const part of [sent.message.parts[0], (await client.messages.retrieve(sent.message.id)).parts[0]]) {
    assert.deepEqual([part.mention, part.mention_range], [ann, [3, 6]]);
  }
  const plain = await send(group.id, {});
  assert.deepEqual([plain.message.parts[0].mention, plain.message.parts[0].mention_range], [null, null]);
  await assert.rejects(send(direct.id, { mention: ann }), refusal(409, 2023));
  await assert.rejects(send(group.id, { mention: "+15559999999" }), refusal(400, 1004));
  await assert.rejects(send(group.id, { mention_range: [0, 1] }), refusal(400, 1004));
  await assert.rejects(send(group.id, { mention: ann, mention_range: [0, 8] }), refusal(400, 1004));
  await assert.rejects(send(group.id, { mention: ann, mention_range: [1] }), refusal(400, 1004));
});

test("continuation_message is checked, and not sent while lines are healthy", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const send = (continuation_message) =>
    client.messages.create({ to: [ann], message: firstMessage("the message"), continuation_message });
  await assert.rejects(send({ text: "" }), refusal(400, 1004));
  await assert.rejects(send({}), refusal(400, 1001));
  await assert.rejects(send("x"), refusal(400, 1003));
  const sent = await send({ text: "instead" });
  assert.equal(sent.previous_chat_id, null);
  const { messages } = await client.chats.messages.list(sent.chat_id);
  assert.deepEqual(messages.map((each) => each.parts[0].value), ["the message"]);
});

test("what a device or a bank would be needed for answers 403 with code 2011", limit, async (t) => {
  const server = await startDev(t);
  const chat = await makeChat(sdkOf(server), [ann]);
  for (const [method, path] of [
    ["POST", `/v3/messages/${chat.message.id}/update`],
    ["GET", `/v3/chats/${chat.id}/location`],
    ["POST", `/v3/chats/${chat.id}/background`],
    ["POST", "/v3/payments"],
  ]) {
    assertError(await server.api.call(method, path, { body: method === "POST" ? {} : undefined }), 403, 2011);
  }
  const wrong = await server.api.call("GET", `/v3/messages/${chat.message.id}/reactions`);
  assertError(wrong, 405, 1005);
  assert.equal(wrong.headers.allow, "POST");
  assert.equal(jsonOf(wrong).success, false);
});
