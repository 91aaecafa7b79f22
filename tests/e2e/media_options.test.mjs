// What an operator may switch on: HEIC as JPEG, files without metadata, previews.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { ffmpeg, film, jpegPixels, pictureHeader, probe, sound, through, vips } from "./support/encoders.mjs";
import * as documents from "./support/documents.mjs";
import {
  bytesAt, createChat, line, media, mediaUrl, nextPerson, sdk, startOrigin, upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { camera, drawing, gif, png, quarters, taggedJpeg, tiff } from "./support/pictures.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";
import { tone, wav } from "./support/sounds_and_films.mjs";

const limit = { timeout: 120_000 };
const flatPng = png(quarters(64, 40));
const heic = await vips("copy", flatPng, "a.heic");

const plain = await startDev({ after });
const jpegs = await startDev({ after }, { env: { SATCHEL_MEDIA__HEIC_TO_JPEG: "true" } });
const stripping = await startDev({ after }, {
  env: { SATCHEL_MEDIA__STRIP_METADATA: "true", SATCHEL_MEDIA__HEIC_TO_JPEG: "true" },
});
const previewing = await startDev({ after }, { env: { SATCHEL_MEDIA__PREVIEWS: "true" } });

async function sendFile(server, file) {
  const { chat } = await sdk(server).chats.create({
    from: line,
    to: [nextPerson()],
    message: { parts: [media(file)] },
  });
  return chat.message.parts[0];
}

test("HEIC goes as it is, unless it is to be JPEG", limit, async () => {
  const untouched = await upload(plain, heic, "a.heic", "image/heic");
  const part = await sendFile(plain, untouched);
  assert.deepEqual([part.mime_type, part.url], ["image/heic", untouched.download_url]);

  const file = await upload(jpegs, heic, "a.heic", "image/heic");
  const converted = await sendFile(jpegs, file);
  assert.deepEqual([converted.filename, converted.mime_type], ["a.jpg", "image/jpeg"]);
  const delivered = await bytesAt(converted.url);
  assert.equal(converted.size_bytes, delivered.length);
  const pixels = await jpegPixels(delivered);
  assert.deepEqual([pixels.width, pixels.height], [64, 40]);
  assert.ok((await bytesAt(file.download_url)).equals(heic));
});

const orientationOf = async (bytes) =>
  /^orientation: (\d)/m.exec(await pictureHeader(bytes))?.[1];

test("a JPEG loses its place and camera and keeps its orientation", limit, async () => {
  const original = taggedJpeg(drawing(120, 80), 6);
  const before = await pictureHeader(original);
  assert.match(before, /GPSLatitude: 59/);
  assert.equal(await orientationOf(original), "6");

  const file = await upload(stripping, original, "photo.jpg", "image/jpeg");
  const part = await sendFile(stripping, file);
  assert.deepEqual([part.filename, part.mime_type], ["photo.jpg", "image/jpeg"]);
  const delivered = await bytesAt(part.url);
  assert.equal(part.size_bytes, delivered.length);
  assert.doesNotMatch(await pictureHeader(delivered), /GPS|Testcam/);
  assert.ok(!delivered.includes(camera));
  assert.equal(await orientationOf(delivered), "6");
  const [one, other] = [await jpegPixels(original), await jpegPixels(delivered)];
  for (const [x, y] of [[3, 5], [119, 0], [60, 79]]) assert.deepEqual(other.at(x, y), one.at(x, y));
  // Who uploaded it has it whole.
  assert.ok((await bytesAt(file.download_url)).equals(original));
});

test("media by URL lose their metadata, too", limit, async (t) => {
  const original = taggedJpeg(drawing(60, 40), 1);
  const base = await startOrigin(t, { "/a.jpg": { type: "image/jpeg", bytes: original } });
  const message = { parts: [mediaUrl(`${base}/a.jpg`)] };
  const [part] = jsonOf(await createChat(stripping, { message })).chat.message.parts;
  assert.ok(!(await bytesAt(part.url)).includes(camera));
});

test("what a TIFF or HEIC becomes has no metadata either", limit, async () => {
  const tagged = taggedJpeg(drawing(120, 80), 1);
  // 272: the camera's model.
  const taggedTiff = await through(
    "tiffset", ["-s", "272", camera, "a.tif"], { "a.tif": await vips("copy", flatPng, "a.tif") },
    "a.tif",
  );
  for (const [original, name, type] of [
    [taggedTiff, "a.tif", "image/tiff"],
    [await vips("copy", tagged, "a.heic"), "a.heic", "image/heic"],
  ]) {
    assert.ok(original.includes(camera), `${name} tells its camera`);
    const part = await sendFile(stripping, await upload(stripping, original, name, type));
    assert.equal(part.mime_type, "image/jpeg");
    const delivered = await bytesAt(part.url);
    assert.ok(!delivered.includes(camera));
    assert.doesNotMatch(await pictureHeader(delivered), /GPS|Testcam/);
  }
});

test("a film loses its place and title and keeps pictures and sound", limit, async () => {
  const tags = ["-metadata", "location=+59.9139+010.7522/", "-metadata", "title=Secret title"];
  for (const [name, type, ...words] of [
    ["a.mp4", "video/mp4", "-movflags", "use_metadata_tags"],
    ["a.mov", "video/quicktime", "-movflags", "use_metadata_tags"],
    ["a.m4v", "video/x-m4v", "-f", "ipod"],
    ["a.3gp", "video/3gpp", "-c:v", "libx264", "-c:a", "aac"],
  ]) {
    const original = await film([...tags, ...words], name);
    assert.match(JSON.stringify(await probe(original)), /59\.9139|Secret title/, name);
    const part = await sendFile(stripping, await upload(stripping, original, name, type));
    assert.deepEqual([part.filename, part.mime_type], [name, type]);
    const delivered = await bytesAt(part.url);
    const { format, streams } = await probe(delivered);
    assert.doesNotMatch(JSON.stringify({ format, streams }), /59\.9139|Secret/);
    assert.ok(!delivered.includes("59.9139"));
    assert.deepEqual(streams.map((stream) => stream.codec_type).sort(), ["audio", "video"]);
    assert.ok(Math.abs(Number(format.duration) - 1) < 0.15);
  }
});

test("what cannot be cleaned is not sent", limit, async (t) => {
  const cut = taggedJpeg(drawing(120, 80), 1).subarray(0, 100);
  const damagedTiff = Buffer.concat([tiff(drawing(60, 40)).subarray(0, 8), seededBytes(3000)]);
  const files = { "/a.jpg": ["image/jpeg", cut], "/a.tiff": ["image/tiff", damagedTiff] };
  const base = await startOrigin(
    t,
    Object.fromEntries(Object.entries(files).map(([path, [type, bytes]]) => [path, { type, bytes }])),
  );
  for (const [path, [type, bytes]] of Object.entries(files)) {
    const file = await upload(stripping, bytes, "file", type);
    for (const part of [media(file), mediaUrl(base + path)]) {
      assertError(await createChat(stripping, { message: { parts: [part] } }), 400, 5004);
    }
  }
});

const preview = (server, file, search = "") =>
  server.api.call("GET", `/v3/attachments/${file.attachment_id}/preview${search}`);

test("a preview is a JPEG no wider than what is asked for", limit, async () => {
  const picture = drawing(1600, 1200);
  const file = await upload(previewing, png(picture), "a.png", "image/png");
  for (const [search, width, height] of [
    ["", 640, 480],
    ["?width=320", 320, 240],
    ["?width=479", 320, 240], // Few widths are made: the next lower.
    ["?width=1", 1, 1],
    ["?width=1600", 1600, 1200],
    ["?width=4096", 1600, 1200],
  ]) {
    const answer = await preview(previewing, file, search);
    assert.equal(answer.status, 200, String(answer.body));
    assert.equal(answer.headers["content-type"], "image/jpeg");
    assert.equal(answer.headers["content-length"], String(answer.body.length));
    const pixels = await jpegPixels(answer.body);
    assert.deepEqual([pixels.width, pixels.height], [width, height], search);
  }
  for (const width of ["0", "4097", "-1", "1.5", "x", ""]) {
    assertError(await preview(previewing, file, `?width=${width}`), 400, 1005);
  }
});

const previewed = [
  ["a JPEG that lies on its side", "image/jpeg", async () => taggedJpeg(drawing(100, 60), 6), 0.6],
  ["a GIF", "image/gif", async () => gif([0, 1].map((at) => drawing(100, 60, at))), 100 / 60],
  ["a TIFF", "image/tiff", async () => tiff(drawing(100, 60)), 100 / 60],
  ["HEIC", "image/heic", async () => heic, 64 / 40],
  ["a BMP", "image/bmp", () => ffmpeg(["-i", "in"], "a.bmp", { in: flatPng }), 64 / 40],
  ["a PDF", "application/pdf", async () => documents.pdf("Hello"), 595 / 842],
  ["an MP4", "video/mp4", () => film([], "a.mp4"), 96 / 64],
  ["a QuickTime film", "video/quicktime", () => film([], "a.mov"), 96 / 64],
  ["an AVI", "video/x-msvideo", () => film([], "a.avi"), 96 / 64],
];
for (const [name, type, make, shape] of previewed) {
  test(`${name} has a preview`, limit, async () => {
    const file = await upload(previewing, await make(), "file", type);
    const answer = await preview(previewing, file, "?width=32");
    assert.equal(answer.status, 200, String(answer.body));
    const pixels = await jpegPixels(answer.body);
    assert.equal(pixels.width, 32);
    assert.ok(Math.abs(pixels.height - 32 / shape) <= 1, `${pixels.height}`);
  });
}

test("a PDF's preview shows its first page", limit, async () => {
  const square = (colour) => `${colour} rg 100 642 100 100 re f`;
  const bytes = documents.pdfOfPages([square("0 0 0.8"), square("0.8 0 0")]);
  const file = await upload(previewing, bytes, "a.pdf", "application/pdf");
  const pixels = await jpegPixels((await preview(previewing, file, "?width=480")).body);
  assert.deepEqual([pixels.width, pixels.height], [480, 679]);
  const [red, , blue] = pixels.at(121, 121);
  assert.ok(red < 20 && Math.abs(blue - 204) < 20, `${pixels.at(121, 121)}`);
  assert.deepEqual(pixels.at(121, 322), [255, 255, 255]);
});

// Nobody's PDF contains Helvetica.
test("text in a font that a PDF does not contain is in its preview", limit, async () => {
  const file = await upload(previewing, documents.pdf("HHHHHHHHHHHH"), "a.pdf", "application/pdf");
  const pixels = await jpegPixels((await preview(previewing, file, "?width=640")).body);
  let dark = 0;
  for (let y = 90; y < 140; ++y) {
    for (let x = 70; x < 320; ++x) dark += pixels.at(x, y)[0] < 128 ? 1 : 0;
  }
  assert.ok(dark > 300, `${dark} dark pixels`);
});

test("the preview of a sound is its loudness over time", limit, async () => {
  const loudAtTheEnd = Int16Array.from(tone(2), (value, index) =>
    index < 44_100 ? 0 : Math.round((value / 12_000) * 32_000),
  );
  for (const [bytes, name, type] of [
    [wav(loudAtTheEnd), "a.wav", "audio/x-wav"],
    [await ffmpeg(["-i", "in"], "a.mp3", { in: wav(loudAtTheEnd) }), "a.mp3", "audio/mp3"],
  ]) {
    const file = await upload(previewing, bytes, name, type);
    const answer = await preview(previewing, file);
    assert.equal(answer.status, 200, String(answer.body));
    const waveform = jsonOf(answer);
    assert.deepEqual(Object.keys(waveform).sort(), ["duration_ms", "peaks"]);
    assert.ok(Math.abs(waveform.duration_ms - 2000) < 120, `${waveform.duration_ms}`);
    assert.equal(waveform.peaks.length, 100);
    assert.ok(Math.max(...waveform.peaks.slice(0, 45)) <= 5, `${waveform.peaks}`);
    assert.ok(Math.min(...waveform.peaks.slice(55, 95)) >= 85, `${waveform.peaks}`);
  }
});

test("a preview that cannot be made is refused with a reason", limit, async () => {
  for (const [bytes, name, type] of [
    [Buffer.from("just text\n"), "a.txt", "text/plain"],
    [documents.zip([["a", "b"]]), "a.zip", "application/zip"],
    [seededBytes(2000), "a.png", "image/png"],
    [(await sound([], "a.wav", 1)).subarray(0, 44), "a.wav", "audio/x-wav"],
  ]) {
    assertError(await preview(previewing, await upload(previewing, bytes, name, type)), 400, 5004);
  }
  const pending = await previewing.api.create({ size: 3 });
  assertError(await preview(previewing, pending), 404, 2007);
  assertError(await preview(previewing, { attachment_id: "nonsense" }), 400, 1005);
});

test("a preview goes with its attachment", limit, async () => {
  const file = await upload(previewing, flatPng, "a.png", "image/png");
  assert.equal((await preview(previewing, file)).status, 200);
  await sdk(previewing).attachments.delete(file.attachment_id);
  assertError(await preview(previewing, file), 404, 2003);
});

test("without the switch there are no previews", limit, async () => {
  assertError(await preview(plain, await upload(plain, flatPng, "a.png", "image/png")), 403, 2011);
});
