// What comes in: from outside, and from one line of the server to another; opt-outs.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import {
  bytesAt, createChat, line, media, mediaUrl, newChat, nextPerson, otherLine, photo, receive, sdk,
  sendInto, text, upload,
} from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { run, satchelBinary, temporaryFolder } from "./support/program.mjs";
import { assertShape, messageShape } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const server = await startDev({ after });
const client = sdk(server);

test("an inbound picture is stored for the line's partner and answered in its chat", limit, async () => {
  const person = nextPerson();
  const big = Buffer.alloc(700_000, "0123456789\r\n--");
  const answer = await receive(server, { line, from: person, text: "hi" }, [
    { bytes: photo, name: "photo.jpg", type: "image/jpeg" },
    { bytes: big, name: "notes.txt", type: "text/plain" },
  ]);
  assert.equal(answer.status, 201, await answer.clone().text());
  const stored = await answer.json();
  const message = await client.messages.retrieve(stored.message_id);
  assertShape({ ...message }, messageShape);
  assert.equal(message.is_from_me, false);
  assert.equal(message.from, person);
  assert.deepEqual([message.from_handle.handle, message.from_handle.is_me], [person, false]);
  assert.deepEqual([message.delivery_status, message.is_delivered], ["received", false]);
  assert.notEqual(message.sent_at, null);
  assert.equal(message.parts[0].value, "hi");
  assert.equal(message.parts[1].mime_type, "image/jpeg");
  for (const [index, bytes] of [[1, photo], [2, big]]) {
    assert.ok((await bytesAt(message.parts[index].url)).equals(bytes), `part ${index}`);
  }
  assert.equal((await client.attachments.retrieve(message.parts[1].id)).filename, "photo.jpg");
  const back = await newChat(server, { to: [person], message: { parts: [mediaUrl(message.parts[1].url)] } });
  assert.equal(back.id, stored.chat_id);
  assert.equal(back.message.parts[0].id, message.parts[1].id);
  const reply = { reply_to: { message_id: message.id, part_index: 2 } };
  assert.equal((await sendInto(server, stored.chat_id, [text("seen")], reply)).status, 202);
});

test("an inbound message that is not one is refused", limit, async () => {
  const from = nextPerson();
  const elf = { bytes: Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(9)]), name: "a.txt", type: "text/plain" };
  assert.equal((await receive(server, { line: "+15559999999", from, text: "x" })).status, 404);
  assert.equal((await receive(server, { line, from })).status, 400);
  assert.equal((await receive(server, { line, from: "nonsense", text: "x" })).status, 400);
  assert.equal((await receive(server, { line, from, text: "x" }, [elf])).status, 400);
  const page = jsonOf(await server.api.call("GET", `/v3/chats?to=${encodeURIComponent(from)}`));
  assert.deepEqual(page.chats, []);
});

test("who writes STOP gets nothing until they write anything else", limit, async () => {
  const person = nextPerson();
  const sends = (extra = {}) => [
    createChat(server, { from: otherLine, to: [person], ...extra }),
    server.api.call("POST", "/v3/messages", {
      body: { to: [person], message: { parts: [text("x")] }, ...extra },
    }),
    server.api.call("POST", `/v3/chats/${stopped.chat_id}/messages`, {
      body: { message: { parts: [text("x")] }, ...extra },
    }),
  ];
  const stopped = await (await receive(server, { line, from: person, text: " STOP\n" })).json();
  const health = async () => (await client.chats.retrieve(stopped.chat_id)).health_status.status;
  assert.equal(await health(), "OPTED_OUT");
  for (const answer of await Promise.all(sends())) assertError(answer, 403, 2024);
  for (const answer of await Promise.all(sends({ override_optout: true }))) {
    assert.ok(answer.status < 300, String(answer.body));
  }
  const group = { to: [person, nextPerson()] };
  assert.equal((await createChat(server, group)).status, 201);
  await receive(server, { line, from: person, text: "stop it" });
  assert.equal(await health(), "HEALTHY");
  for (const answer of await Promise.all(sends())) assert.ok(answer.status < 300, String(answer.body));
});

test("the words that opt out, and those that only look like them", limit, async () => {
  const person = nextPerson();
  const isOut = async (word) => {
    const { chat_id: id } = await (await receive(server, { line, from: person, text: word })).json();
    return (await client.chats.retrieve(id)).health_status.status === "OPTED_OUT";
  };
  for (const word of [
    "STOP", "UNSUBSCRIBE", "OPTOUT", "CANCEL", "END", "QUIT", "opt out", "Opt-Out", "optout",
  ]) {
    assert.equal(await isOut(word), true, word);
    assert.equal(await isOut("hello"), false);
  }
  for (const word of ["stop", "Stop", "STOP IT", "please STOP", "ENDS", "opt  out"]) {
    assert.equal(await isOut(word), false, word);
  }
});

test("another line of the server receives the message and its photo", limit, async (t) => {
  const own = await startDev(t);
  const ownClient = sdk(own);
  const uploaded = await upload(own);
  await newChat(own, { to: [otherLine], message: { parts: [text("for you"), media(uploaded)] } });
  const list = async () =>
    jsonOf(await own.api.call("GET", `/v3/chats?from=${encodeURIComponent(otherLine)}`)).chats;
  const [chat] = await until(async () => (await list()).length > 0 && list(), {
    what: "the other line's chat",
  });
  const [message] = jsonOf(await own.api.call("GET", `/v3/chats/${chat.id}/messages`)).messages;
  assertShape(message, messageShape);
  assert.equal(message.is_from_me, false);
  assert.equal(message.delivery_status, "received");
  assert.equal(message.from, line);
  assert.equal(message.parts[0].value, "for you");
  assert.notEqual(message.parts[1].id, uploaded.attachment_id);
  assert.equal(message.parts[1].filename, "photo.jpg");

  await ownClient.attachments.delete(uploaded.attachment_id);
  assert.ok((await bytesAt(message.parts[1].url)).equals(photo));
  assert.equal((await ownClient.attachments.retrieve(message.parts[1].id)).size_bytes, photo.length);
});

test("satchel receive lets a message with a file come in", limit, async (t) => {
  const path = join(temporaryFolder(t), "photo.jpg");
  writeFileSync(path, photo);
  const args = ["receive", "--line", line, "--from", nextPerson(), "--data", server.folder];
  const ran = await run(satchelBinary, [...args, "--text", "hi", "--media", path, "--json"]);
  assert.equal(ran.code, 0, ran.stderr);
  const message = await client.messages.retrieve(JSON.parse(ran.stdout).message_id);
  assert.equal(message.parts[0].value, "hi");
  assert.equal(message.parts[1].filename, "photo.jpg");
  assert.equal((await run(satchelBinary, args)).code, 1);
});
