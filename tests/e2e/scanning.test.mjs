// Files are shown to a real ClamAV daemon before anybody gets them.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Clamd, eicar, marker } from "./support/clamd.mjs";
import { query, storedBlobs } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import * as documents from "./support/documents.mjs";
import {
  bytesAt, createChat, line, media, mediaUrl, nextPerson, photo, receive, sdk, startOrigin, upload,
} from "./support/messaging.mjs";
import { assertError, assertXmlError, put } from "./support/partner_api.mjs";
import { png, drawing, tiff } from "./support/pictures.mjs";
import { freePort } from "./support/ports.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const clamd = await Clamd.start({ after });
const scanned = { SATCHEL_MEDIA__CLAMD: clamd.socket, SATCHEL_LOG__LEVEL: "info" };
const server = await startDev({ after }, { env: scanned });

const send = (on, ...parts) => createChat(on, { message: { parts } });
const status = async (on, file) => (await sdk(on).attachments.retrieve(file.attachment_id)).status;
async function metric(on, name) {
  const text = String((await on.admin("GET", "/metrics")).body);
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

const marked = Buffer.concat([png(drawing(20, 20)), Buffer.from(marker)]);
const infected = [
  ["the test file", eicar, "a.txt", "text/plain"],
  ["a picture with something behind it", marked, "a.png", "image/png"],
  ["an archive", documents.zip([["a.txt", "clean"], ["b.txt", eicar]]), "a.zip", "application/zip"],
  ["a document", documents.docx(`dear ${marker}`), "a.docx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
];
for (const [name, bytes, filename, type] of infected) {
  test(`${name}, infected, is kept from everybody`, limit, async () => {
    const before = await metric(server, "satchel_infected_files_total");
    const blobs = storedBlobs(server.folder).stored.length;
    const file = await upload(server, bytes, filename, type);
    assert.equal(await status(server, file), "failed");
    assertError(await send(server, media(file)), 400, 5004);
    assert.equal((await fetch(file.download_url)).status, 404);
    assert.equal(storedBlobs(server.folder).stored.length, blobs);
    assert.equal(await metric(server, "satchel_infected_files_total"), before + 1);
    const isAboutIt = (event) => event.attachment_id === file.attachment_id;
    const found = await until(() => server.events("content_infected").find(isAboutIt), {
      what: "a log line",
    });
    assert.match(JSON.stringify(found), /Eicar-Test-File|Satchel-Test-Marker/);
  });
}

test("clean files pass, large ones too", limit, async () => {
  const before = await metric(server, "satchel_infected_files_total");
  for (const [bytes, name, type] of [
    [photo, "a.jpg", "image/jpeg"],
    [tiff(drawing(40, 30)), "a.tiff", "image/tiff"],
    [Buffer.alloc(30_000_000, "clean\n"), "a.txt", "text/plain"],
  ]) {
    const file = await upload(server, bytes, name, type);
    assert.equal(await status(server, file), "complete");
    assert.equal((await send(server, media(file))).status, 201);
    assert.ok((await bytesAt(file.download_url)).equals(bytes));
  }
  assert.equal(await metric(server, "satchel_infected_files_total"), before);
  const rows = await query(server.folder, "SELECT count(*) AS n FROM attachments WHERE is_unscanned");
  assert.equal(rows[0].n, 0);
});

test("a daemon may be asked over TCP", limit, async (t) => {
  const port = await freePort();
  await Clamd.start(t, port);
  const own = await startDev(t, { env: { SATCHEL_MEDIA__CLAMD: `127.0.0.1:${port}` } });
  const bad = await upload(own, eicar, "a.txt", "text/plain");
  assert.equal(await status(own, bad), "failed");
  const good = await upload(own, Buffer.from("clean"), "b.txt", "text/plain");
  assert.equal(await status(own, good), "complete");
});

test("media by URL and what comes in are scanned, too", limit, async (t) => {
  const base = await startOrigin(t, {
    "/eicar.txt": { type: "text/plain", bytes: eicar },
    "/photo.jpg": { type: "image/jpeg", bytes: photo },
  });
  assertError(await send(server, mediaUrl(`${base}/eicar.txt`)), 400, 5004);
  assert.equal((await send(server, mediaUrl(`${base}/photo.jpg`))).status, 201);
  const arrived = await receive(server, { line, from: nextPerson() }, [
    { bytes: marked, name: "a.png", type: "image/png" },
  ]);
  assert.equal(arrived.status, 400, await arrived.text());
});

test("files wait while the daemon is away, and are taken when it is back", limit, async (t) => {
  const own = await Clamd.start(t);
  const refusing = await startDev(t, { env: { SATCHEL_MEDIA__CLAMD: own.socket } });
  const base = await startOrigin(t, { "/photo.jpg": { type: "image/jpeg", bytes: photo } });
  await own.stop();
  const created = await refusing.api.create({
    filename: "a.jpg", contentType: "image/jpeg", size: photo.length,
  });
  const refused = await put(created, photo);
  assertXmlError(refused, 503, "SlowDown");
  assert.equal(await status(refusing, created), "pending");
  assertError(await send(refusing, mediaUrl(`${base}/photo.jpg`)), 503, 3006);
  assert.equal(await metric(refusing, "satchel_unscanned_files_total"), 2);
  assert.deepEqual(storedBlobs(refusing.folder).stored, []);

  await own.run();
  assert.equal((await put(created, photo)).status, 200);
  assert.equal(await status(refusing, created), "complete");
  assert.equal((await send(refusing, media(created), mediaUrl(`${base}/photo.jpg`))).status, 201);
});

test("files are taken unscanned and marked where the operator wants that", limit, async (t) => {
  const own = await Clamd.start(t);
  await own.stop();
  const accepting = await startDev(t, {
    env: { SATCHEL_MEDIA__CLAMD: own.socket, SATCHEL_MEDIA__WITHOUT_CLAMD: "accept" },
  });
  const file = await upload(accepting, eicar, "a.txt", "text/plain");
  assert.equal(await status(accepting, file), "complete");
  assert.equal((await send(accepting, media(file))).status, 201);
  const marks = () => query(accepting.folder, "SELECT is_unscanned AS mark FROM attachments ORDER BY seq");
  assert.deepEqual(await marks(), [{ mark: 1 }]);
  assert.equal(await metric(accepting, "satchel_unscanned_files_total"), 1);
  await own.run();
  const next = await upload(accepting, eicar, "a.txt", "text/plain");
  assert.equal(await status(accepting, next), "failed");
  assert.equal(await status(accepting, await upload(accepting)), "complete");
  assert.deepEqual((await marks()).at(-1), { mark: 0 });
});
