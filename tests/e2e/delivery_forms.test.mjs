// What a recipient's phone opens in place of what was uploaded: TIFF becomes JPEG, CAF becomes
// M4A, a voice memo becomes AAC (contract sections 2.6, 4 and 10.6).

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { query, storedBlobs } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import { ffmpeg, jpegPixels, probe, sound, through, vips } from "./support/encoders.mjs";
import {
  bytesAt, createChat, line, media, mediaUrl, newChat, nextPerson, otherLine, receive, sdk,
  startOrigin, upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { png, quarterColours, quarters, tiff } from "./support/pictures.mjs";
import { satchel } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";
import { caf, tone } from "./support/sounds_and_films.mjs";

const limit = { timeout: 120_000 };
const server = await startDev({ after });
const client = sdk(server);
const flat = quarters(64, 40);
const flatPng = png(flat);

// The media part of a new message with this file, as the SDK's caller sees it.
async function sendFile(file, on = client) {
  const { chat } = await on.chats.create({
    from: line,
    to: [nextPerson()],
    message: { parts: [media(file)] },
  });
  return chat.message.parts[0];
}

// The colours of the four corners, in reading order.
async function assertCorners(bytes, { width, height, corners, tolerance = 12 }) {
  const pixels = await jpegPixels(bytes);
  assert.deepEqual([pixels.width, pixels.height], [width, height]);
  const [left, right, top, bottom] = [4, width - 5, 4, height - 5];
  const seen = [[left, top], [right, top], [left, bottom], [right, bottom]].map(([x, y]) =>
    pixels.at(x, y),
  );
  seen.forEach((colour, corner) =>
    colour.forEach((value, channel) => {
      const wanted = corners[corner][channel];
      assert.ok(
        Math.abs(value - wanted) <= tolerance,
        `corner ${corner}: ${colour}, wanted ${corners[corner]}`,
      );
    }),
  );
}

const { topLeft, topRight, bottomLeft, bottomRight } = quarterColours;
const upright = { width: 64, height: 40, corners: [topLeft, topRight, bottomLeft, bottomRight] };
const second = png(quarters(20, 20));
const plainTiff = await vips("copy", flatPng, "plain.tif");
// Orientation 6: to be shown a quarter turn clockwise.
const turned = (bytes) =>
  through("tiffset", ["-s", "274", "6", "out"], { out: bytes }, "out");

const tiffs = [
  ["8 bits, with opacity", async () => tiff(flat), upright],
  ["8 bits", async () => plainTiff, upright],
  ["16 bits", () => vips("colourspace", flatPng, "deep.tif", "rgb16"), upright],
  ["LZW", () => vips("copy", flatPng, "lzw.tif[compression=lzw]"), upright],
  ["deflate in tiles", () => vips("copy", flatPng, "t.tif[compression=deflate,tile]"), upright],
  ["big-endian", () => through("tiffcp", ["-B", "in", "out"], { in: plainTiff }, "out"), upright],
  ["BigTIFF", () => vips("copy", flatPng, "big.tif[bigtiff]"), upright],
  [
    "CMYK",
    () => vips("icc_transform", flatPng, "c.tif", "cmyk", "--input-profile", "srgb"),
    { ...upright, tolerance: 25 },
  ],
  [
    "lying on its side",
    () => turned(plainTiff),
    { width: 40, height: 64, corners: [bottomLeft, topLeft, bottomRight, topRight] },
  ],
  [
    "several pages",
    async () => {
      const pages = { one: plainTiff, two: await vips("copy", second, "two.tif") };
      return through("tiffcp", ["one", "two", "out"], pages, "out");
    },
    upright,
  ],
];

for (const [name, make, expected] of tiffs) {
  test(`a TIFF (${name}) is delivered as a JPEG that shows the same`, limit, async () => {
    const original = await make();
    const file = await upload(server, original, "Scan 1.tiff", "image/tiff");
    const part = await sendFile(file);
    assert.deepEqual(
      [part.id, part.filename, part.mime_type],
      [file.attachment_id, "Scan 1.jpg", "image/jpeg"],
    );
    const answer = await fetch(part.url);
    assert.equal(answer.headers.get("content-type"), "image/jpeg");
    const delivered = Buffer.from(await answer.arrayBuffer());
    assert.equal(part.size_bytes, delivered.length);
    await assertCorners(delivered, expected);

    const kept = await client.attachments.retrieve(file.attachment_id);
    assert.deepEqual(
      [kept.filename, kept.content_type, kept.size_bytes],
      ["Scan 1.tiff", "image/tiff", original.length],
    );
    assert.ok((await bytesAt(kept.download_url)).equals(original));
  });
}

test("a TIFF by URL is delivered as a JPEG, too", limit, async (t) => {
  const base = await startOrigin(t, { "/scan.tif": { type: "image/tiff", bytes: plainTiff } });
  const { chat } = jsonOf(await createChat(server, { message: { parts: [mediaUrl(`${base}/scan.tif`)] } }));
  const [part] = chat.message.parts;
  assert.deepEqual([part.filename, part.mime_type], ["scan.jpg", "image/jpeg"]);
  await assertCorners(await bytesAt(part.url), upright);
  const kept = await client.attachments.retrieve(part.id);
  assert.ok((await bytesAt(kept.download_url)).equals(plainTiff));
});

test("a damaged TIFF goes as it is", limit, async () => {
  const damaged = Buffer.concat([plainTiff.subarray(0, 8), seededBytes(3000)]);
  const file = await upload(server, damaged, "scan.tiff", "image/tiff");
  const part = await sendFile(file);
  assert.deepEqual(
    [part.filename, part.mime_type, part.size_bytes, part.url],
    ["scan.tiff", "image/tiff", damaged.length, file.download_url],
  );
  assert.ok((await bytesAt(part.url)).equals(damaged));
  const isWhy = (event) => event.attachment_id === file.attachment_id;
  const why = await until(() => server.events("not_converted").find(isWhy), { what: "the reason" });
  assert.equal(why.form, "jpeg");
  assert.match(why.detail, /cannot be decoded/);
});

for (const [name, make] of [
  ["PCM", async () => caf(tone(2))],
  ["Apple Lossless", () => sound(["-c:a", "alac"], "a.caf")],
  ["µ-law", () => sound(["-c:a", "pcm_mulaw"], "a.caf")],
]) {
  test(`a CAF of ${name} is delivered as M4A`, limit, async () => {
    const original = await make();
    const file = await upload(server, original, "memo.caf", "audio/x-caf");
    const part = await sendFile(file);
    assert.deepEqual([part.filename, part.mime_type], ["memo.m4a", "audio/mp4"]);
    const delivered = await bytesAt(part.url);
    assert.equal(part.size_bytes, delivered.length);
    const { format, streams } = await probe(delivered);
    assert.match(format.format_name, /mp4/);
    assert.deepEqual(
      streams.map((stream) => [stream.codec_type, stream.codec_name]),
      [["audio", "aac"]],
    );
    assert.ok(Math.abs(Number(format.duration) - 2) < 0.15, format.duration);
    assert.ok((await bytesAt(file.download_url)).equals(original));
  });
}

test("what was converted once is used again, and goes with its attachment", limit, async (t) => {
  const own = await startDev(t, { env: { SATCHEL_LOG__LEVEL: "info" } });
  const ownClient = sdk(own);
  const file = await upload(own, plainTiff, "scan.tiff", "image/tiff");
  const conversions = () => own.output.split('"converted"').length - 1;
  const rows = async () => (await query(own.folder, "SELECT form FROM renditions")).length;
  const [first, ...others] = await Promise.all(
    Array.from({ length: 8 }, () => sendFile(file, ownClient)),
  );
  for (const part of [...others, await sendFile(file, ownClient)]) assert.deepEqual(part, first);
  assert.equal(await rows(), 1);
  await until(() => conversions() > 0, { what: "the log line of the conversion" });
  assert.equal(conversions(), 1);
  assert.equal(storedBlobs(own.folder).stored.length, 2);

  await ownClient.attachments.delete(file.attachment_id);
  assert.equal((await fetch(first.url)).status, 404);
  assert.equal(await rows(), 0);
  assert.deepEqual(storedBlobs(own.folder), { incoming: [], stored: [] });
  const fsck = await satchel(["fsck", "--data", own.folder]);
  assert.equal(fsck.code, 0, fsck.stderr);
});

test("another line of the server gets the JPEG", limit, async (t) => {
  const own = await startDev(t);
  const file = await upload(own, plainTiff, "scan.tiff", "image/tiff");
  await newChat(own, { to: [otherLine], message: { parts: [media(file)] } });
  const path = `/v3/chats?from=${encodeURIComponent(otherLine)}`;
  const list = async () => jsonOf(await own.api.call("GET", path)).chats;
  const [chat] = await until(async () => (await list()).length > 0 && list(), {
    what: "the other line's chat",
  });
  const [message] = jsonOf(await own.api.call("GET", `/v3/chats/${chat.id}/messages`)).messages;
  const [part] = message.parts;
  assert.deepEqual([part.filename, part.mime_type], ["scan.jpg", "image/jpeg"]);
  await assertCorners(await bytesAt(part.url), upright);
});

// What comes in was made for delivery by the phone that sent it.
test("a TIFF that comes in from outside stays as it is", limit, async () => {
  const arrived = await receive(server, { line, from: nextPerson() }, [
    { bytes: plainTiff, name: "scan.tiff", type: "image/tiff" },
  ]);
  const { message_id: id } = await arrived.json();
  const [part] = (await client.messages.retrieve(id)).parts;
  assert.deepEqual([part.filename, part.mime_type], ["scan.tiff", "image/tiff"]);
  assert.ok((await bytesAt(part.url)).equals(plainTiff));
});

test("without transcoding everything goes as it is", limit, async (t) => {
  const own = await startDev(t, { env: { SATCHEL_MEDIA__TRANSCODE: "false" } });
  for (const [bytes, name, type] of [
    [plainTiff, "scan.tiff", "image/tiff"],
    [caf(tone(1)), "memo.caf", "audio/x-caf"],
  ]) {
    const file = await upload(own, bytes, name, type);
    const part = await sendFile(file, sdk(own));
    assert.deepEqual([part.mime_type, part.url], [type, file.download_url]);
  }
});

// Each frame: 12.2 kbit/s, 20 ms.
const amr = (seconds) => {
  const frame = Buffer.concat([Buffer.from([0x3c]), Buffer.alloc(31, 0x11)]);
  return Buffer.concat([Buffer.from("#!AMR\n"), ...Array(seconds * 50).fill(frame)]);
};
const memos = [
  ["MP3", "m.mp3", "audio/mpeg", () => sound(["-b:a", "96k"], "m.mp3", 3)],
  ["MP3 in stereo", "m.mp3", "audio/mp3", () => sound(["-ac", "2"], "m.mp3", 3, 48_000)],
  ["M4A", "m.m4a", "audio/x-m4a", () => sound(["-c:a", "aac"], "m.m4a", 3)],
  ["Apple Lossless", "m.m4a", "audio/mp4", () => sound(["-c:a", "alac"], "m.m4a", 3)],
  ["AAC", "m.aac", "audio/aac", () => sound(["-c:a", "aac"], "m.aac", 3)],
  ["CAF", "m.caf", "audio/x-caf", async () => caf(tone(3))],
  ["WAV", "m.wav", "audio/x-wav", () => sound([], "m.wav", 3, 8000)],
  ["WAV of floats", "m.wav", "audio/wav", () => sound(["-c:a", "pcm_f32le"], "m.wav", 3)],
  ["AIFF", "m.aiff", "audio/x-aiff", () => sound([], "m.aiff", 3)],
  ["AIFF of 24 bits", "m.aiff", "audio/aiff", () => sound(["-c:a", "pcm_s24be"], "m.aiff", 3)],
  ["AMR", "m.amr", "audio/amr", async () => amr(3)],
];

for (const [name, filename, type, make] of memos) {
  test(`a voice memo of ${name} is sent as AAC in one channel`, limit, async () => {
    const original = await make();
    const file = await upload(server, original, filename, type);
    const chat = await newChat(server);
    const { voice_memo: sent } = await client.chats.sendVoicememo(chat.id, {
      attachment_id: file.attachment_id,
    });
    const memo = sent.voice_memo;
    assert.deepEqual([memo.filename, memo.mime_type], ["m.m4a", "audio/x-m4a"]);
    const delivered = await bytesAt(memo.url);
    assert.equal(memo.size_bytes, delivered.length);
    const { format, streams } = await probe(delivered);
    assert.deepEqual(
      streams.map((stream) => [stream.codec_name, stream.channels]),
      [["aac", 1]],
    );
    const probed = Number(format.duration) * 1000;
    assert.ok(Math.abs(memo.duration_ms - probed) <= 50, `${memo.duration_ms} and ${probed}`);
    assert.ok(Math.abs(memo.duration_ms - 3000) <= 200, String(memo.duration_ms));
    const message = await client.messages.retrieve(sent.id);
    assert.deepEqual(
      message.parts.map((part) => [part.id, part.mime_type, part.size_bytes]),
      [[file.attachment_id, "audio/x-m4a", delivered.length]],
    );
    assert.ok((await bytesAt(file.download_url)).equals(original));
  });
}

test("a voice memo that cannot be decoded is refused", limit, async (t) => {
  const chat = await newChat(server);
  const whole = await sound(["-c:a", "aac"], "m.m4a", 3);
  const noSamples = await ffmpeg(["-f", "lavfi", "-i", "sine=duration=0.1", "-t", "0"], "m.wav");
  for (const [bytes, name, type] of [
    [seededBytes(4000), "m.mp3", "audio/mpeg"],
    [whole.subarray(0, 900), "m.m4a", "audio/x-m4a"],
    [noSamples, "m.wav", "audio/x-wav"],
  ]) {
    const file = await upload(server, bytes, name, type);
    const body = { attachment_id: file.attachment_id };
    assertError(
      await server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, { body }),
      422,
      1003,
    );
  }
  const base = await startOrigin(t, { "/m.mp3": { type: "audio/mpeg", bytes: seededBytes(4000) } });
  const body = { voice_memo_url: `${base}/m.mp3` };
  assertError(await server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, { body }), 422, 1003);
  const page = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  assert.equal(page.messages.length, 1);
});

for (const [declared, delivered, name] of [
  ["audio/mp3", "audio/mpeg", "song.mp3"],
  ["audio/mp4", "audio/x-m4a", "song.m4a"],
  ["audio/aiff", "audio/x-aiff", "song.aiff"],
]) {
  test(`${declared} is delivered as ${delivered}, with the same bytes`, limit, async () => {
    const original = await sound([], name, 1);
    const file = await upload(server, original, name, declared);
    const part = await sendFile(file);
    assert.deepEqual(
      [part.mime_type, part.filename, part.url, part.size_bytes],
      [delivered, name, file.download_url, original.length],
    );
    assert.ok((await bytesAt(part.url)).equals(original));
    assert.equal((await client.attachments.retrieve(file.attachment_id)).content_type, declared);
  });
}
