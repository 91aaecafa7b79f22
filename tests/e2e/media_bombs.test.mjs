// Files that are made to hurt whoever opens them: refused or delivered unopened, and the server
// works on.

import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { after, test } from "node:test";

import { descendants } from "./support/child_processes.mjs";
import { until } from "./support/deadline.mjs";
import * as documents from "./support/documents.mjs";
import { request } from "./support/http_client.mjs";
import { bytesAt, createChat, media, newChat, startOrigin, upload } from "./support/messaging.mjs";
import { assertError, jsonOf, put } from "./support/partner_api.mjs";
import { drawing, gif, pngChunk, quarters, tiff } from "./support/pictures.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 180_000 };
const MiB = 1024 * 1024;
const server = await startDev({ after }, {
  env: { SATCHEL_MEDIA__PREVIEWS: "true" },
});

const preview = (file) =>
  server.api.call("GET", `/v3/attachments/${file.attachment_id}/preview?width=64`);
const send = (file) => createChat(server, { message: { parts: [media(file)] } });
const sentPart = async (file) => {
  const answer = await send(file);
  assert.equal(answer.status, 201, String(answer.body));
  return jsonOf(answer).chat.message.parts[0];
};
async function sendMemo(file) {
  const chat = await newChat(server);
  const body = { attachment_id: file.attachment_id };
  return server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, { body });
}

async function assertConverts() {
  const part = await sentPart(await upload(server, tiff(quarters(40, 30)), "a.tiff", "image/tiff"));
  assert.equal(part.mime_type, "image/jpeg");
}

// What runs when nothing is converted.
await assertConverts();
const idle = await until(
  () => {
    const names = descendants(server.pid);
    return !names.some((name) => /ffmpeg|bwrap/.test(name)) && names;
  },
  { what: "an idle server" },
);

async function assertHealthy() {
  assert.equal((await request(`${server.origin}/readyz`)).status, 200);
  await assertConverts();
  await until(() => descendants(server.pid).length <= idle.length, {
    what: `no processes beside ${idle}: ${descendants(server.pid)}`,
  });
  assert.ok(server.running);
}

// One bit a pixel, all of them there: 528 MB that deflate to half a megabyte.
function hugePng(side) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const pixels = deflateSync(Buffer.alloc(side * (Math.ceil(side / 8) + 1)));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    pngChunk("IDAT", pixels),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

// The first frame over and over.
function longGif(frames) {
  const one = gif([drawing(8, 8)]);
  const begin = 13 + 3 * (1 << ((one[10] & 7) + 1));
  const frame = one.subarray(begin, one.length - 1);
  return Buffer.concat([one.subarray(0, begin), ...Array(frames).fill(frame), Buffer.from([0x3b])]);
}

test("a PNG of 65,000 x 65,000 pixels gets no preview", limit, async () => {
  const bytes = hugePng(65_000);
  assert.ok(bytes.length < 2 * MiB);
  const file = await upload(server, bytes, "a.png", "image/png");
  assertError(await preview(file), 400, 5004);
  await assertHealthy();
});

test("a GIF of 100,000 frames gets no preview and is sent as it is", limit, async () => {
  const few = await upload(server, longGif(10), "a.gif", "image/gif");
  assert.equal((await preview(few)).status, 200);
  const bytes = longGif(100_000);
  const file = await upload(server, bytes, "a.gif", "image/gif");
  assertError(await preview(file), 400, 5004);
  assert.equal((await sentPart(file)).size_bytes, bytes.length);
  await assertHealthy();
});

test("a TIFF that lies about its strips is converted within bounds or not at all", limit, async () => {
  for (const [tag, value] of [
    [273, 0x7fff_fff0], // Where the strip is.
    [273, 0],
    [279, 0xffff_fff0], // How long it is.
    [257, 65_000], // Rows.
    [277, 60_000], // Channels.
  ]) {
    const bytes = tiff(drawing(64, 48));
    const entries = bytes.readUInt16LE(8);
    for (let at = 10; at < 10 + entries * 12; at += 12) {
      if (bytes.readUInt16LE(at) === tag) bytes.writeUInt32LE(value, at + 8);
    }
    const file = await upload(server, bytes, "a.tiff", "image/tiff");
    const answer = await preview(file);
    assert.ok([200, 400].includes(answer.status), `${tag}: ${answer.status}`);
    const part = await sentPart(file);
    // What it is converted to is a picture; what is not converted goes as it came.
    if (part.mime_type === "image/tiff") assert.ok((await bytesAt(part.url)).equals(bytes));
    else assert.ok(part.size_bytes < 3 * MiB, `${tag}: ${part.size_bytes}`);
  }
  await assertHealthy();
});

test("a document that unpacks to 256 MiB is never unpacked", limit, async () => {
  const bytes = documents.zip([
    ["[Content_Types].xml", "<Types/>"],
    ["word/document.xml", Buffer.alloc(256 * MiB)],
  ]);
  assert.ok(bytes.length < 2 * MiB);
  const type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
  const file = await upload(server, bytes, "a.docx", type);
  const part = await sentPart(file);
  assert.deepEqual([part.mime_type, part.size_bytes], [type, bytes.length]);
  assertError(await preview(file), 400, 5004);
  await assertHealthy();
});

test("ten hours of silence are no voice memo", limit, async () => {
  const rate = 2400;
  const samples = 10 * 3600 * rate;
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(samples + 36, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples, 40);
  const silence = Buffer.alloc(MiB, 0x80);
  const pieces = function* pieces() {
    yield head;
    for (let at = 0; at < samples; at += MiB) yield silence.subarray(0, Math.min(MiB, samples - at));
  };
  const wanted = { filename: "a.wav", contentType: "audio/x-wav", size: head.length + samples };
  const file = await server.api.create(wanted);
  assert.equal((await put(file, pieces())).status, 200);
  assertError(await sendMemo(file), 422, 1003);
  assertError(await preview(file), 400, 5004);
  assert.equal((await sentPart(file)).mime_type, "audio/x-wav");
  await assertHealthy();
});

test("playlists and scripts that name other files are not followed", limit, async (t) => {
  let asked = 0;
  const base = await startOrigin(t, new Proxy({}, { get: () => ((asked += 1), { status: 404 }) }));
  const hls = (uri) => `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${uri}\n#EXT-X-ENDLIST\n`;
  for (const content of [
    hls(`${base}/secret.ts`),
    hls("file:///etc/passwd"),
    "ffconcat version 1.0\nfile /etc/passwd\n",
    `ffconcat version 1.0\nfile ${base}/secret.mp4\n`,
    `<?xml version="1.0"?><MPD><BaseURL>${base}/</BaseURL></MPD>`,
    `v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n`,
  ]) {
    for (const [name, type] of [
      ["a.mp4", "video/mp4"],
      ["a.mp3", "audio/mpeg"],
      ["a.caf", "audio/x-caf"],
    ]) {
      const file = await upload(server, Buffer.from(content), name, type);
      assertError(await send(file), 400, 5006);
      assertError(await preview(file), 400, 5004);
      if (type !== "video/mp4") assertError(await sendMemo(file), 400, 5006);
    }
  }
  // Nor where something that nobody recognises stands in front of it.
  const playlist = Buffer.from(`\n${hls(`${base}/secret.ts`)}`);
  const hidden = Buffer.concat([Buffer.from([1, 2, 0, 3]), playlist]);
  const film = await upload(server, hidden, "a.mp4", "video/mp4");
  assertError(await preview(film), 400, 5004);
  const memo = await upload(server, hidden, "a.mp3", "audio/mpeg");
  assertError(await sendMemo(memo), 422, 1003);
  assert.equal(asked, 0);
  await assertHealthy();
});

test("an SVG that names other files is refused under any name", limit, async (t) => {
  let asked = 0;
  const base = await startOrigin(t, new Proxy({}, { get: () => ((asked += 1), { status: 404 }) }));
  for (const entity of ["file:///etc/passwd", `${base}/secret`]) {
    const svg =
      `<?xml version="1.0"?>\n<!DOCTYPE svg [<!ENTITY x SYSTEM "${entity}">]>\n` +
      `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text>&x;</text>` +
      `<image href="${entity}"/></svg>`;
    for (const [name, type] of [["a.png", "image/png"], ["a.tiff", "image/tiff"]]) {
      const file = await upload(server, Buffer.from(svg), name, type);
      assertError(await preview(file), 400, 5004);
      assertError(await send(file), 400, 5004);
    }
  }
  assert.equal(asked, 0);
  await assertHealthy();
});

test("many of them at once leave the server as it was", limit, async () => {
  const png = await upload(server, hugePng(65_000), "a.png", "image/png");
  const animation = await upload(server, longGif(100_000), "a.gif", "image/gif");
  const good = await upload(server, tiff(quarters(40, 30)), "good.tiff", "image/tiff");
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, index) => preview([png, animation, good][index % 3])),
  );
  answers.forEach((answer, index) => assert.equal(answer.status, index % 3 === 2 ? 200 : 400));
  await assertHealthy();
});
