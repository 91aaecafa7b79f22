// Media parts that name a URL: downloaded in the request, or a reference if the URL is ours.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import {
  bytesAt, createChat, mediaUrl, newChat, photo, recording, sdk, sendInto, startOrigin, unknownId,
  upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const urlBytesMax = 10_485_760;
const program = new URL("../data/media/pe.exe", import.meta.url);
const server = await startDev({ after });
const client = sdk(server);
const base = await startOrigin({ after }, {
  "/photo%20one.jpg": { type: "image/jpeg", bytes: photo },
  "/photo.jpg": { type: "image/jpeg", bytes: photo },
  "/typeless.mp3": { bytes: recording },
  "/": { type: "image/jpeg", bytes: photo },
  "/mislabelled": { type: "application/x-unheard-of", bytes: photo },
  "/unknown": { type: "application/x-unheard-of", bytes: seededBytes(5000, 7) },
  "/just": { type: "text/plain", bytes: Buffer.alloc(urlBytesMax, "a") },
  "/huge": { type: "text/plain", bytes: Buffer.alloc(urlBytesMax + 1, "a") },
  "/program": { type: "text/plain", bytes: readFileSync(program) },
  "/empty": { type: "text/plain", bytes: Buffer.alloc(0) },
  "/failing": { status: 500 },
});
const send = (...urls) => createChat(server, { message: { parts: urls.map(mediaUrl) } });

test("a URL of our own is a reference; another partner's or a deleted one is unknown", limit, async () => {
  const uploaded = await upload(server);
  const sent = jsonOf(await send(uploaded.download_url));
  assert.equal(sent.chat.message.parts[0].id, uploaded.attachment_id);
  assertError(await send(uploaded.download_url.replace(server.partnerId, unknownId)), 404, 2003);
  assertError(await send(uploaded.download_url.replace(uploaded.attachment_id, unknownId)), 404, 2003);
  const pending = await server.api.create({ filename: "a.txt", size: 3 });
  assertError(await send(pending.download_url), 404, 2007);
  await client.attachments.delete(uploaded.attachment_id);
  assertError(await send(uploaded.download_url), 404, 2003);
});

test("a URL of our own may have more than 10 MB", limit, async () => {
  const big = await upload(server, Buffer.alloc(urlBytesMax + 1, "a"), "big.txt", "text/plain");
  const [part] = jsonOf(await send(big.download_url)).chat.message.parts;
  assert.deepEqual([part.id, part.size_bytes], [big.attachment_id, urlBytesMax + 1]);
});

test("media by URL is downloaded in the request and gets an attachment of its own", limit, async () => {
  const [part] = jsonOf(await send(`${base}/photo%20one.jpg?size=2`)).chat.message.parts;
  assert.equal(part.filename, "photo one.jpg");
  assert.equal(part.mime_type, "image/jpeg");
  assert.equal(part.size_bytes, photo.length);
  assert.ok((await bytesAt(part.url)).equals(photo));
  assert.equal((await client.attachments.retrieve(part.id)).status, "complete");
  const again = jsonOf(await send(`${base}/photo%20one.jpg?size=2`));
  assert.notEqual(again.chat.message.parts[0].id, part.id);
  await client.attachments.delete(part.id);
  assertError(await server.api.get(part.id), 404, 2003);
  assert.ok((await bytesAt(again.chat.message.parts[0].url)).equals(photo));
});

test("name and type of media by URL come from what there is", limit, async () => {
  const urls = ["typeless.mp3", "", "mislabelled"].map((path) => `${base}/${path}`);
  const parts = jsonOf(await send(...urls)).chat.message.parts;
  assert.deepEqual(
    parts.map(({ filename, mime_type }) => [filename, mime_type]),
    [
      ["typeless.mp3", "audio/mpeg"],
      ["attachment.jpg", "image/jpeg"],
      ["mislabelled", "image/jpeg"],
    ],
  );
});

test("a URL whose file cannot be had is refused, and nothing is sent", limit, async () => {
  const chat = await newChat(server);
  for (const [url, status, errorCode] of [
    [`${base}/missing`, 400, 5007],
    [`${base}/failing`, 400, 5007],
    ["http://127.0.0.1:1/", 400, 5007],
    [`${base}/huge`, 400, 5005],
    [`${base}/unknown`, 400, 5004],
    [`${base}/program`, 400, 5004],
  ]) {
    // The good one beside it is not kept either.
    const parts = [mediaUrl(`${base}/photo.jpg`), mediaUrl(url)];
    assertError(await sendInto(server, chat.id, parts), status, errorCode);
  }
  const empty = await sendInto(server, chat.id, [mediaUrl(`${base}/empty`)]);
  assert.equal(empty.status, 400);
  const page = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  assert.equal(page.messages.length, 1);
  assert.equal((await send(`${base}/just`)).status, 201);
});

test("a message downloads at most 40 files; URLs of our own do not count", limit, async () => {
  const { download_url: own } = await upload(server);
  const forty = Array.from({ length: 40 }, () => `${base}/photo.jpg`);
  const sent = jsonOf(await send(...forty, own));
  assert.equal(sent.chat.message.parts.length, 41);
  assertError(await send(...forty, `${base}/photo.jpg`), 400, 1004);
});

test("without the development switches a URL must be https and public", limit, async (t) => {
  const strict = await startDev(t, {
    env: { SATCHEL_FETCH__ALLOW_HTTP: "false", SATCHEL_FETCH__ALLOW_PRIVATE_ADDRESSES: "false" },
  });
  const refused = (url) => createChat(strict, { message: { parts: [mediaUrl(url)] } });
  assertError(await refused("http://example.com/photo.jpg"), 400, 1005);
  for (const url of ["https://127.0.0.1/a.jpg", "https://[::1]/a.jpg", "https://169.254.169.254/"]) {
    const answer = await refused(url);
    assert.ok([1005, 5007].includes(jsonOf(answer).error.code), String(answer.body));
    assert.equal(answer.status, 400);
  }
});
