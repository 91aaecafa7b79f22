// Sends, deletes and arrivals at the same moment, and a server killed after it answered.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  bytesAt, line, media, newChat, nextPerson, otherLine, photo, reaches, receive, sdk, sendInto, text,
  unknownId, upload,
} from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { request } from "./support/http_client.mjs";
import { assertShape, goneMediaShape, mediaShape } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const env = { SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" };
const server = await startDev({ after }, { env });
const client = sdk(server);

async function allMessages(of, chatId) {
  const all = [];
  for await (const each of sdk(of).chats.messages.list(chatId, { limit: 100 })) all.push(each);
  return all;
}

async function chatOf(of, number) {
  const list = async () =>
    jsonOf(await of.api.call("GET", `/v3/chats?from=${encodeURIComponent(number)}`)).chats;
  const [chat] = await until(async () => (await list()).length > 0 && list(), { what: "the chat" });
  return chat;
}

// What a delete that races sends leaves: a send is refused as if the attachment had never been,
// or it was accepted with the whole part. Then the message's own part has lost its reference, and
// the line that received it has a copy of all the bytes, or just the text.
test("a send that races the delete of its attachment carries it or fails", limit, async () => {
  const chat = await newChat(server, { to: [otherLine], message: { parts: [text("first")] } });
  const accepted = new Map();
  for (let round = 0; round < 24; round += 1) {
    const uploaded = await upload(server);
    const wanted = { ...mediaShape, id: uploaded.attachment_id, url: uploaded.download_url };
    const send = (name) => sendInto(server, chat.id, [text(name), media(uploaded)]);
    const order = [send, null, send, send].slice(round % 3);
    const answers = await Promise.all(order.map((each, i) =>
      each ? each(`${round}.${i}`) : server.api.delete(uploaded.attachment_id)));
    if (round % 3 === 2) answers.push(await server.api.delete(uploaded.attachment_id));
    const deleted = answers.filter(({ status }) => status === 204);
    assert.equal(deleted.length, 1);
    for (const answer of answers.filter((each) => each !== deleted[0])) {
      if (answer.status === 404) {
        assertError(answer, 404, 2003);
      } else {
        assert.equal(answer.status, 202, String(answer.body));
        const { message } = jsonOf(answer);
        assertShape(message.parts[1], wanted);
        accepted.set(message.parts[0].value, message.id);
      }
    }
    assertError(await send("late"), 404, 2003);
    assert.equal((await request(uploaded.download_url)).status, 404);
  }
  assert.ok(accepted.size > 0);

  for (const id of accepted.values()) {
    const message = await reaches(client, id, "delivered");
    assertShape(message.parts[1], goneMediaShape);
  }
  const received = await allMessages(server, (await chatOf(server, otherLine)).id);
  const names = received.map(({ parts }) => parts[0].value);
  assert.deepEqual(names.sort(), ["first", ...accepted.keys()].sort());
  for (const { parts } of received) {
    assert.ok(parts.length <= 2);
    if (parts.length === 2) assert.ok((await bytesAt(parts[1].url)).equals(photo), parts[0].value);
  }
});

test("an inbound photo that is deleted while it is read is there whole or gone", limit, async () => {
  const from = nextPerson();
  for (let round = 0; round < 10; round += 1) {
    const files = [{ bytes: photo, name: "photo.jpg", type: "image/jpeg" }];
    const stored = await (await receive(server, { line, from, text: "hi" }, files)).json();
    const [, { id, url }] = stored.parts;
    const read = () => client.messages.retrieve(stored.message_id);
    const [download, before, deleted, between] = await Promise.all([
      request(url), read(), server.api.delete(id), read()]);
    assert.equal(deleted.status, 204);
    assert.ok(download.cut || download.status === 404 || download.body.equals(photo));
    for (const { parts } of [before, between]) {
      const isGone = parts[1].id === null;
      assertShape(parts[1], isGone ? goneMediaShape : { ...mediaShape, id, url });
    }
    assertShape((await read()).parts[1], goneMediaShape);
    assert.equal((await request(url)).status, 404);
  }
});

test("messages that come in at the same moment make one chat and keep their files", limit, async () => {
  const from = nextPerson();
  const files = [{ bytes: photo, name: "photo.jpg", type: "image/jpeg" }];
  const [outbound, ...answers] = await Promise.all([
    newChat(server, { to: [from] }),
    ...Array.from({ length: 6 }, (_, i) => receive(server, { line, from, text: `${i}` }, files)),
  ]);
  const stored = await Promise.all(answers.map((answer) => answer.json()));
  assert.deepEqual([...new Set(stored.map(({ chat_id: id }) => id))], [outbound.id]);
  const messages = await allMessages(server, outbound.id);
  assert.equal(messages.length, 7);
  for (const { is_from_me: isMine, parts } of messages) {
    if (!isMine) assert.ok((await bytesAt(parts[1].url)).equals(photo));
  }
});

test("first messages to the same people at the same moment begin one chat", limit, async () => {
  const to = [nextPerson(), nextPerson()];
  const chats = await Promise.all(Array.from({ length: 8 }, (_, i) =>
    newChat(server, { to: i % 2 === 0 ? to : [...to].reverse() })));
  assert.equal(new Set(chats.map(({ id }) => id)).size, 1);
  assert.equal((await allMessages(server, chats[0].id)).length, 8);
});

test("a message that is deleted while it is on its way is gone", limit, async () => {
  const chat = await newChat(server);
  for (let round = 0; round < 10; round += 1) {
    const { message } = jsonOf(await sendInto(server, chat.id, [text("x")]));
    const answers = await Promise.all([1, 2].map(() =>
      server.api.call("DELETE", `/v3/messages/${message.id}`)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 404]);
    assertError(await server.api.call("GET", `/v3/messages/${message.id}`), 404, 2002);
  }
  assert.equal((await allMessages(server, chat.id)).length, 1);
  assertError(await server.api.call("DELETE", `/v3/messages/${unknownId}`), 404, 2002);
});

test("what was answered is delivered, also when the server is killed right after", limit, async (t) => {
  const killed = await startDev(t, { env });
  const uploaded = await upload(killed);
  const chat = await newChat(killed, { to: [otherLine], message: { parts: [text("0")] } });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
    sendInto(killed, chat.id, [text(`${i + 1}`), media(uploaded)])));
  await killed.kill9();
  const ids = answers.map((answer) => jsonOf(answer).message.id);

  const restarted = await startDev(t, { data: killed.folder, env });
  const afterwards = sdk(restarted);
  for (const id of ids) await reaches(afterwards, id, "delivered");
  const received = await allMessages(restarted, (await chatOf(restarted, otherLine)).id);
  const sent = Array.from({ length: 101 }, (_, i) => `${i}`);
  assert.deepEqual(received.map(({ parts }) => parts[0].value).sort(), sent.sort());
});
