// Files are known by their bytes, not by their names: contract sections 2.6, 3.4 and 10.17.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { acceptedTypes } from "./support/content_types.mjs";
import { corpus, onlyIfAllowed, sample } from "./support/corpus.mjs";
import * as documents from "./support/documents.mjs";
import { sound } from "./support/encoders.mjs";
import {
  createChat, media, mediaUrl, newChat, photo, sdk, startOrigin, upload,
} from "./support/messaging.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { drawing, gif, jpeg, png } from "./support/pictures.mjs";
import { startDev } from "./support/server.mjs";
import { mp3, tone, wav } from "./support/sounds_and_films.mjs";

const limit = { timeout: 120_000 };
const inParallel = { ...limit, concurrency: 8 };
const server = await startDev({ after });
const client = sdk(server);

const send = (on, file) => createChat(on, { message: { parts: [media(file)] } });
const status = async (file) => (await client.attachments.retrieve(file.attachment_id)).status;

async function assertDelivered(on, { name, type, delivered, make }) {
  const bytes = await make();
  const file = await upload(on, bytes, name.split(/[[ ]/)[0], type);
  const kept = jsonOf(await on.api.get(file.attachment_id));
  assert.deepEqual(
    [kept.status, kept.content_type, kept.size_bytes],
    ["complete", type, bytes.length],
  );
  const answer = await send(on, file);
  assert.equal(answer.status, 201, String(answer.body));
  const [part] = jsonOf(answer).chat.message.parts;
  assert.equal(part.mime_type, delivered);
  const served = await fetch(part.url);
  assert.equal(served.status, 200);
  const body = Buffer.from(await served.arrayBuffer());
  assert.equal(part.size_bytes, body.length);
  const isConverted = ["image/tiff", "audio/x-caf"].includes(type);
  assert.equal(body.equals(bytes), !isConverted);
}

test("every kind of file is delivered as what it is", inParallel, async (t) => {
  assert.ok(corpus.length >= 150, `${corpus.length} files`);
  const types = new Set(corpus.map(({ type }) => type));
  assert.deepEqual(acceptedTypes.filter((type) => !types.has(type)), []);
  await Promise.all(
    corpus.map((file) => t.test(`${file.type}: ${file.name}`, limit, () => assertDelivered(server, file))),
  );
});

test("WebP and SVG are delivered where they are allowed, and else refused", inParallel, async (t) => {
  const allowing = await startDev(t, { env: { SATCHEL_MEDIA__ACCEPT_WEBP_AND_SVG: "true" } });
  await Promise.all(
    onlyIfAllowed.map((file) => t.test(file.name, limit, async () => {
      await assertDelivered(allowing, file);
      const bytes = await file.make();
      const asked = { filename: "a", content_type: file.type, size_bytes: 9 };
      assertError(await server.api.post(asked), 400, 5004);
      const hidden = await upload(server, bytes, "a.png", "image/png");
      assert.equal(await status(hidden), "failed");
      assertError(await send(server, hidden), 400, 5004);
    })),
  );
});

const picture = drawing(60, 40);
const page = documents.html();
const contradictions = [
  ["image/png", "a.png", page],
  ["image/jpeg", "a.jpg", documents.zip([["a", "b"]])],
  ["image/jpeg", "a.jpg", Buffer.from("this is no picture at all\n")],
  ["image/gif", "a.gif", documents.pdf("x")],
  ["image/heic", "a.heic", mp3(tone(0.3))],
  ["image/tiff", "a.tiff", documents.docx("x")],
  ["image/png", "a.png", sample("mp4.mp4")],
  ["video/mp4", "a.mp4", jpeg(picture)],
  ["video/quicktime", "a.mov", page],
  ["video/x-msvideo", "a.avi", wav(tone(0.3))],
  ["audio/mpeg", "a.mp3", png(picture)],
  ["audio/x-wav", "a.wav", documents.xml()],
  ["audio/x-m4a", "a.m4a", documents.gzip("x")],
  ["application/pdf", "a.pdf", page],
  ["application/pdf", "a.pdf", jpeg(picture)],
  ["application/pdf", "a.pdf", documents.zip([["a", "b"]])],
  ["text/plain", "a.txt", jpeg(picture)],
  ["text/vcard", "a.vcf", documents.zip([["a", "b"]])],
  ["application/json", "a.json", documents.pdf("x")],
  ["application/zip", "a.zip", png(picture)],
  ["application/epub+zip", "a.epub", Buffer.from("not a book\n")],
  ["application/vnd.apple.pkpass", "a.pkpass", page],
];
test("content of another kind than was declared is not sent", inParallel, async (t) => {
  await Promise.all(
    contradictions.map(([type, name, bytes], index) => t.test(`${index}: ${type}`, limit, async () => {
      const file = await upload(server, bytes, name, type);
      assert.equal(await status(file), "complete");
      assertError(await send(server, file), 400, 5006);
    })),
  );
});

const siblings = [
  ["image/jpeg", png(picture), "image/png"],
  ["image/png", jpeg(picture), "image/jpeg"],
  ["image/heic", photo, "image/jpeg"],
  ["image/tiff", gif([picture]), "image/gif"],
  ["audio/mpeg", wav(tone(0.3)), "audio/x-wav"],
  ["audio/x-caf", mp3(tone(0.3)), "audio/mpeg"],
  ["audio/aac", await sound([], "a.m4a", 0.3), "audio/x-m4a"],
  ["audio/mp3", await sound([], "a.aiff", 0.3), "audio/x-aiff"],
  ["video/quicktime", sample("mp4.mp4"), "video/mp4"],
  ["video/mp4", sample("avi.avi"), "video/x-msvideo"],
  ["video/mp4", sample("mp4_audio_only.mp4"), "audio/x-m4a"],
  ["application/msword", documents.docx("x"), corpus.find(({ name }) => name === "a.docx").type],
  ["application/msword", documents.rtf(), "text/rtf"],
  ["application/zip", documents.epub("t", "x"), "application/epub+zip"],
  ["text/vcard", Buffer.from("no card\n"), "text/plain"],
  ["text/plain", documents.html(), "text/plain"],
  ["text/csv", documents.markdown(), "text/csv"],
  // A picture in another format is converted as that format is.
  ["image/jpeg", await corpus.find(({ name }) => name === "plain.tif").make(), "image/jpeg"],
];
test("another format of the declared kind is delivered as what it is", inParallel, async (t) => {
  await Promise.all(
    siblings.map(([type, bytes, delivered], index) => t.test(`${index}: ${type}`, limit, async () => {
      const file = await upload(server, bytes, "file", type);
      const [part] = jsonOf(await send(server, file)).chat.message.parts;
      assert.equal(part.mime_type, delivered);
      const served = await fetch(part.url);
      assert.equal(served.headers.get("content-length"), String(part.size_bytes));
    })),
  );
});

const forbidden = [
  ["pe.exe", "image/jpeg"],
  ["elf.elf", "application/pdf"],
  ["macho.bin", "video/mp4"],
  ["macho_fat.bin", "image/png"],
  ["java.class", "text/plain"],
  ["wasm.wasm", "application/zip"],
  ["script.sh", "text/plain"],
  ["script.sh", "audio/amr"],
  ["jar.jar", "application/zip"],
  ["apk.apk", "application/zip"],
  ["msi.msi", "application/msword"],
  ["deb.deb", "application/x-gzip"],
  ["dmg.dmg", "application/zip"],
  ["self_extracting.exe", "application/zip"],
  ["flac.flac", "audio/x-wav"],
  ["flac_behind_id3.flac", "audio/mpeg"],
  ["ogg.ogg", "audio/mpeg"],
  ["webp.webp", "image/png"],
  ["svg.svg", "text/xml"],
  ["svg_prolog.svg", "image/png"],
  ["avif.avif", "image/heif"],
  ["matroska.mkv", "video/mp4"],
  ["webm.webm", "video/mp4"],
  ["rar.rar", "application/zip"],
  ["seven_zip.7z", "application/zip"],
];
test("forbidden content is found under any name", inParallel, async (t) => {
  await Promise.all(
    forbidden.map(([name, type]) => t.test(`${name} as ${type}`, limit, async () => {
      const file = await upload(server, sample(name), "holiday", type);
      assert.equal(await status(file), "failed");
      assertError(await send(server, file), 400, 5004);
      assert.equal((await fetch(file.download_url)).status, 404);
    })),
  );
  const real = await sound([], "a.flac", 0.3);
  const file = await upload(server, real, "song.mp3", "audio/mpeg");
  assert.equal(await status(file), "failed");
});

test("media by URL are known by their bytes", limit, async (t) => {
  const base = await startOrigin(t, {
    "/page.jpg": { type: "image/jpeg", bytes: page },
    "/really.png": { type: "image/png", bytes: jpeg(picture) },
    "/song.mp3": { type: "audio/mpeg", bytes: sample("ogg.ogg") },
    "/note": { type: "text/markdown", bytes: documents.markdown() },
    "/card.vcf": { type: "application/octet-stream", bytes: documents.vcard() },
    "/data": { type: "text/plain", bytes: png(picture) },
  });
  const get = (path) => createChat(server, { message: { parts: [mediaUrl(base + path)] } });
  assertError(await get("/page.jpg"), 400, 5006);
  assertError(await get("/song.mp3"), 400, 5004);
  for (const [path, type] of [
    ["/really.png", "image/jpeg"],
    ["/note", "text/markdown"],
    ["/card.vcf", "text/vcard"],
    ["/data", "image/png"],
  ]) {
    const answer = await get(path);
    assert.equal(answer.status, 201, String(answer.body));
    assert.equal(jsonOf(answer).chat.message.parts[0].mime_type, type, path);
  }
});

test("a voice memo must be sound, whatever it is called", limit, async () => {
  const chat = await newChat(server);
  const memo = async (bytes, type) => {
    const file = await upload(server, bytes, "memo", type);
    const body = { attachment_id: file.attachment_id };
    return server.api.call("POST", `/v3/chats/${chat.id}/voicememo`, { body });
  };
  assertError(await memo(png(picture), "audio/mpeg"), 400, 5006);
  assertError(await memo(sample("mp4.mp4"), "audio/x-m4a"), 400, 5004);
  assert.equal((await memo(sample("mp4_audio_only.mp4"), "video/mp4")).status, 202);
});
