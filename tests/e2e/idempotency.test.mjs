// Idempotency keys (contract section 1.7): one key, one message, whatever happens.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  createChat, line, media, mediaUrl, newChat, nextPerson, photo, reaches, recording, sdk, sendInto, startOrigin,
  text, upload,
} from "./support/messaging.mjs";
import { PartnerApi, assertError, jsonOf } from "./support/partner_api.mjs";
import { satchelJson } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const env = { SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" };
const server = await startDev({ after }, { env });
const client = sdk(server);

const messagesOf = async (from, chatId) =>
  jsonOf(await from.api.call("GET", `/v3/chats/${chatId}/messages`)).messages;

test("a key gives the first answer again, and sends nothing", limit, async () => {
  const to = [nextPerson()];
  const message = { parts: [text("once")], idempotency_key: "order-1" };
  const first = await newChat(server, { to, message });
  await reaches(client, first.message.id, "delivered");
  for (const changes of [
    { to, message },
    { to, message: { ...message, parts: [text("another text")] } },
    { to: [nextPerson()], message },
  ]) {
    const again = await createChat(server, changes);
    assert.equal(again.status, 201);
    assert.deepEqual(jsonOf(again).chat, first);
  }
  const elsewhere = await sendInto(server, first.id, [text("x")], { idempotency_key: "order-1" });
  assert.equal(elsewhere.status, 202);
  assert.deepEqual(jsonOf(elsewhere), { chat_id: first.id, message: first.message });
  assert.equal((await messagesOf(server, first.id)).length, 1);
});

test("a key may come in a header; the body's wins", limit, async () => {
  const to = [nextPerson()];
  const headers = { "idempotency-key": "from-header" };
  const first = await createChat(server, { to }, { headers });
  const { chat } = jsonOf(first);
  assert.deepEqual(jsonOf(await createChat(server, { to }, { headers })).chat, chat);
  const both = await sendInto(server, chat.id, [text("x")], { idempotency_key: "from-body" }, { headers });
  assert.notEqual(jsonOf(both).message.id, chat.message.id);
  const fromBody = await sendInto(server, chat.id, [text("x")], { idempotency_key: "from-body" });
  assert.equal(jsonOf(fromBody).message.id, jsonOf(both).message.id);

  const send = () => client.messages.create({
    to: [nextPerson()], message: { parts: [text("x")] }, "Idempotency-Key": "any-line" });
  const sent = await send();
  assert.equal(sent.created_new_chat, true);
  assert.deepEqual(await send(), sent);
});

test("a voice memo takes a key in the header", limit, async () => {
  const memo = await upload(server, recording, "memo.mp3", "audio/mpeg");
  const chat = await newChat(server);
  const post = () =>
    server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, {
      body: { attachment_id: memo.attachment_id },
      headers: { "idempotency-key": "memo" },
    });
  const first = jsonOf(await post()).voice_memo.id;
  assert.equal(jsonOf(await post()).voice_memo.id, first);
  assert.equal((await messagesOf(server, chat.id)).filter(({ id }) => id === first).length, 1);
});

test("a key has 1 to 255 characters, in the header too", limit, async () => {
  const header = (key) => createChat(server, {}, { headers: { "idempotency-key": key } });
  assertError(await header("k".repeat(256)), 400, 1005);
  assert.equal((await header("k".repeat(255))).status, 201);
  const body = (key) => createChat(server, { message: { parts: [text("x")], idempotency_key: key } });
  assertError(await body("k".repeat(256)), 400, 1005);
  assertError(await body(""), 400, 1005);
  assertError(await body(7), 400, 1003);
  assert.equal((await body("l".repeat(255))).status, 201);
  assert.equal((await body(null)).status, 201);
});

test("a key of a send that was refused is still free", limit, async () => {
  const key = { idempotency_key: "second-try" };
  const chat = await newChat(server);
  const pending = await server.api.create({ filename: "a.txt", size: 3 });
  assertError(await sendInto(server, chat.id, [media(pending)], key), 404, 2007);
  const sent = await sendInto(server, chat.id, [text("x")], key);
  assert.equal(sent.status, 202);
});

test("another partner's key is another key", limit, async () => {
  const second = await satchelJson(["partner", "add", "second", "--data", server.folder]);
  const secondLine = "+15550100009";
  await satchelJson(["line", "add", second.partner_id, secondLine, "--data", server.folder]);
  const stranger = { api: new PartnerApi(server.baseUrl, second.api_key) };
  const message = { parts: [text("x")], idempotency_key: "mine" };
  const mine = await newChat(server, { message });
  const theirs = await newChat(stranger, { from: secondLine, message });
  assert.notEqual(theirs.message.id, mine.message.id);
  assert.notEqual(theirs.id, mine.id);
});

test("many sends with one key at once are one message", limit, async () => {
  const chat = await newChat(server);
  for (let round = 0; round < 10; round += 1) {
    const answers = await Promise.all(Array.from({ length: 6 }, () =>
      sendInto(server, chat.id, [text(`${round}`)], { idempotency_key: `round-${round}` })));
    assert.deepEqual(answers.map(({ status }) => status), Array(6).fill(202));
    const [first, ...others] = answers.map(jsonOf);
    for (const other of others) assert.deepEqual(other, first);
  }
  const values = (await messagesOf(server, chat.id)).map(({ parts }) => parts[0].value);
  assert.deepEqual(values, ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0", "hello"]);
});

test("of many first messages with one key one begins the chat and keeps its download", limit, async (t) => {
  const own = await startDev(t);
  const base = await startOrigin(t, { "/photo.jpg": { type: "image/jpeg", bytes: photo } });
  const to = [nextPerson()];
  const message = { parts: [mediaUrl(`${base}/photo.jpg`)], idempotency_key: "photo" };
  const answers = await Promise.all(Array.from({ length: 6 }, () => newChat(own, { to, message })));
  for (const chat of answers) assert.deepEqual(chat.message, answers[0].message);
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  const stats = JSON.parse((await own.admin("GET", "/admin/v1/stats")).body.toString());
  assert.equal(stats.partners[0].attachments.complete, 1);
});

test("a key outlives a restart, and its message's deletion makes it dead", limit, async (t) => {
  const before = await startDev(t, { env });
  const uploaded = await upload(before);
  const message = { parts: [text("once"), media(uploaded)], idempotency_key: "kept" };
  const first = await newChat(before, { message });
  await before.stop();
  const restarted = await startDev(t, { data: before.folder, env });
  const send = () => createChat(restarted, { from: line, to: [nextPerson()], message });
  assert.equal(jsonOf(await send()).chat.message.id, first.message.id);
  // The answer is the same but for what is gone: no new 404 for a send that happened.
  await restarted.api.delete(uploaded.attachment_id);
  const afterwards = jsonOf(await send()).chat.message;
  assert.deepEqual([afterwards.id, afterwards.parts[1].id], [first.message.id, null]);
  await sdk(restarted).messages.delete(first.message.id);
  assertError(await send(), 404, 2002);
  assert.deepEqual(await messagesOf(restarted, first.id), []);
});
