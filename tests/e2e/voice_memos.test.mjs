// Voice memos: POST /v3/chats/{id}/voicememo (contract section 4).

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  bytesAt, line, newChat, nextPerson, photo, reaches, receive, recording,
  recordingSeconds, sdk, startOrigin, unknownId, upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { assertShape, voiceMemoShape } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";
import { tone, wav } from "./support/sounds_and_films.mjs";

const limit = { timeout: 60_000 };
const urlBytesMax = 10_485_760;
const server = await startDev({ after });
const client = sdk(server);
const post = (chatId, body) => server.api.call("POST", `/v3/chats/${chatId}/voicememo`, { body });

test("a voice memo is sent from a pre-uploaded recording", limit, async () => {
  const memo = await upload(server, recording, "memo.mp3", "audio/mp3");
  const chat = await newChat(server);
  const answer = await client.chats.sendVoicememo(chat.id, { attachment_id: memo.attachment_id });
  assertShape({ ...answer }, { voice_memo: voiceMemoShape });
  const { voice_memo: sent } = answer;
  assert.equal(sent.from, line);
  assert.deepEqual(sent.to, [chat.handles[1].handle]);
  assert.deepEqual(sent.chat.handles, chat.handles);
  assert.deepEqual([sent.chat.id, sent.chat.is_active, sent.chat.is_group], [chat.id, true, false]);
  assert.deepEqual(sent.voice_memo, {
    id: memo.attachment_id,
    url: memo.download_url.replace(/memo\.mp3$/, "voice/memo.m4a"),
    filename: "memo.m4a",
    mime_type: "audio/x-m4a",
    size_bytes: (await bytesAt(sent.voice_memo.url)).length,
    duration_ms: sent.voice_memo.duration_ms,
  });
  // Encoders add up to a few frames of silence.
  assert.ok(Math.abs(sent.voice_memo.duration_ms - recordingSeconds * 1000) < 150);
  assert.ok((await bytesAt(memo.download_url)).equals(recording));
  const message = await reaches(client, sent.id, "delivered");
  assert.equal(message.chat_id, chat.id);
  assert.deepEqual(message.parts.map(({ type, id }) => [type, id]), [["media", memo.attachment_id]]);
});

test("a voice memo by URL is downloaded and becomes an attachment", limit, async (t) => {
  const base = await startOrigin(t, {
    "/memo.mp3": { type: "audio/mpeg", bytes: recording },
    "/memo.wav": { type: "audio/wav", bytes: wav(tone(0.5)) },
    "/photo.jpg": { type: "image/jpeg", bytes: photo },
    "/huge": { type: "audio/mpeg", bytes: Buffer.concat([recording, Buffer.alloc(urlBytesMax)]) },
  });
  const chat = await newChat(server, { to: [nextPerson(), nextPerson()] });
  const byUrl = (path) => post(chat.id, { voice_memo_url: base + path });
  const { voice_memo: sent } = jsonOf(await byUrl("/memo.mp3"));
  assertShape(sent, voiceMemoShape);
  assert.equal(sent.to.length, 2);
  assert.equal(sent.chat.is_group, true);
  assert.equal((await bytesAt(sent.voice_memo.url)).length, sent.voice_memo.size_bytes);
  const kept = await client.attachments.retrieve(sent.voice_memo.id);
  assert.equal(kept.filename, "memo.mp3");
  assert.ok((await bytesAt(kept.download_url)).equals(recording));
  assert.equal((await byUrl("/memo.wav")).status, 202);

  assertError(await byUrl("/photo.jpg"), 400, 5004);
  assertError(await byUrl("/missing"), 400, 5007);
  const { error } = assertError(await byUrl("/huge"), 413, 5001);
  assert.match(error.message, /10 ?MB/);
});

test("a voice memo that cannot be sent is refused with the codes of the contract", limit, async () => {
  const memo = await upload(server, recording, "memo.mp3", "audio/mpeg");
  const picture = await upload(server);
  const pending = await server.api.create({ filename: "a.mp3", contentType: "audio/mpeg", size: 3 });
  const chat = await newChat(server);
  const good = { attachment_id: memo.attachment_id };
  for (const [body, status, errorCode] of [
    [{}, 400, 1004],
    [{ ...good, voice_memo_url: "https://example.com/a.mp3" }, 400, 1004],
    [{ attachment_id: "nonsense" }, 400, 1005],
    [{ attachment_id: 7 }, 400, 1003],
    [{ voice_memo_url: "ftp://example.com/a.mp3" }, 400, 1005],
    [{ ...good, override_optout: 1 }, 400, 1003],
    [[], 400, 1003],
    [{ attachment_id: unknownId }, 404, 2003],
    [{ attachment_id: pending.attachment_id }, 404, 2007],
    [{ attachment_id: picture.attachment_id }, 400, 5004],
  ]) {
    assertError(await post(chat.id, body), status, errorCode);
  }
  assertError(await post("nonsense", good), 400, 1005);
  assertError(await post(unknownId, good), 404, 2001);
  assert.equal((await post(chat.id, { ...good, from: line })).status, 202, "from is ignored");
  await client.attachments.delete(memo.attachment_id);
  assertError(await post(chat.id, good), 404, 2003);
});

test("who has opted out gets no voice memo unless it is overridden", limit, async () => {
  const memo = await upload(server, recording, "memo.mp3", "audio/mpeg");
  const person = nextPerson();
  const { chat_id: chatId } = await (await receive(server, { line, from: person, text: "STOP" })).json();
  assertError(await post(chatId, { attachment_id: memo.attachment_id }), 403, 2024);
  const overridden = { attachment_id: memo.attachment_id, override_optout: true };
  assert.equal((await post(chatId, overridden)).status, 202);
});
