// Downloads under way when their attachment is deleted: they stop, and never look complete.

import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { jsonOf, PartnerApi, put } from "./support/partner_api.mjs";
import { run, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const size = 60_000_000;
// Of a connection on loopback: what the reader's system may hold for it (tcp_rmem), and what its
// library has taken. The writer's is thrown away.
const buffered = 12_000_000;
const frame = 65_536;

// A download that reads when it is told to. `received` counts the body's bytes.
class SlowDownload {
  constructor(url, { headers = {}, ca } = {}) {
    this.received = 0;
    const client = url.startsWith("https") ? https : http;
    this.outgoing = client.get(url, { headers, ca, agent: false });
    this.begun = new Promise((resolve, reject) => {
      this.outgoing.once("error", reject);
      this.outgoing.once("response", (message) => {
        this.message = message;
        this.ended = new Promise((done) => {
          message.on("close", () => done({ complete: message.complete }));
        });
        message.on("error", () => {});
        message.on("data", (bytes) => {
          this.received += bytes.length;
          if (this.reading === false) message.pause();
        });
        message.once("data", () => {
          message.pause();
          this.reading = false;
          resolve();
        });
      });
    });
  }

  goOn() {
    this.reading = true;
    this.message.resume();
  }
}

async function withdrawn(server) {
  const answer = await server.admin("GET", "/metrics");
  return Number(/^satchel_downloads_withdrawn_total (\d+)/m.exec(answer.body.toString())[1]);
}

async function connections(server) {
  const answer = await server.admin("GET", "/metrics");
  return Number(/^satchel_connections (\d+)/m.exec(answer.body.toString())[1]);
}

const wanted = [
  ["the whole file", {}],
  ["a range", { range: `bytes=1000-${size - 1000}` }],
  ["several ranges", { range: `bytes=0-20000000,20000002-${size - 1}` }],
];

for (const [what, headers] of wanted) {
  test(`a paused download of ${what} ends with the delete`, limit, async (t) => {
    const server = await startDev(t);
    const created = await server.api.upload({
      filename: "film.mp4",
      contentType: "video/mp4",
      bytes: seededBytes(size),
    });
    const download = new SlowDownload(created.download_url, { headers });
    await download.begun;
    assert.equal((await server.api.delete(created.attachment_id)).status, 204);
    assert.equal(await withdrawn(server), 1);
    // The server lets go of it, though nobody reads.
    await until(async () => (await connections(server)) === 0, { what: "no connection" });
    download.goOn();
    const { complete } = await download.ended;
    assert.equal(complete, false, "a part must not look like the whole");
    assert.ok(download.received < buffered, `${download.received} bytes came`);
    assert.equal((await request(created.download_url)).status, 404);
  });
}

test("a download at full speed gets one chunk more at most", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.upload({
    filename: "film.mp4",
    contentType: "video/mp4",
    bytes: seededBytes(size),
  });
  const download = new SlowDownload(created.download_url);
  await download.begun;
  const onTheWay = [];
  const deleted = server.api.delete(created.attachment_id).then((answer) => {
    onTheWay.push(download.received);
    return answer;
  });
  // Slow enough to be still at it, and never waiting for long.
  const reading = setInterval(() => {
    download.message.resume();
    download.reading = false;
  }, 5);
  t.after(() => clearInterval(reading));
  assert.equal((await deleted).status, 204);
  const before = onTheWay[0];
  clearInterval(reading);
  download.goOn();
  const { complete } = await download.ended;
  assert.equal(complete, false);
  assert.ok(download.received - before < buffered + frame, `${download.received - before} more`);
});

test("other downloads go on", limit, async (t) => {
  const server = await startDev(t);
  const file = { filename: "film.mp4", contentType: "video/mp4", bytes: seededBytes(size) };
  const [gone, kept] = [await server.api.upload(file), await server.api.upload(file)];
  const download = new SlowDownload(kept.download_url);
  await download.begun;
  assert.equal((await server.api.delete(gone.attachment_id)).status, 204);
  download.goOn();
  assert.deepEqual(await download.ended, { complete: true });
  assert.equal(download.received, size);
  assert.equal(await withdrawn(server), 0);
});

async function makeCertificate(folder) {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const made = await run("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
    ...["-subj", "/CN=satchel test", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-keyout", key, "-out", cert],
  ]);
  assert.equal(made.code, 0, made.stderr);
  return { cert, key };
}

test("over TLS it ends, too, and without a proper end", limit, async (t) => {
  const { cert, key } = await makeCertificate(temporaryFolder(t));
  const env = { SATCHEL_SERVER__TLS_CERT: cert, SATCHEL_SERVER__TLS_KEY: key };
  const server = await startDev(t, { env });
  const ca = readFileSync(cert);
  const api = new PartnerApi(server.baseUrl, server.key);
  const bytes = seededBytes(size);
  const body = { filename: "film.mp4", content_type: "video/mp4", size_bytes: size };
  const created = jsonOf(await api.post(body, { ca }));
  assert.equal((await put(created, bytes, { ca })).status, 200);
  assert.match(created.download_url, /^https:/);
  const download = new SlowDownload(created.download_url, { ca });
  await download.begun;
  assert.equal((await api.delete(created.attachment_id, { ca })).status, 204);
  await until(async () => (await connections(server)) === 0, { what: "no connection" });
  download.goOn();
  assert.deepEqual(await download.ended, { complete: false });
  assert.ok(download.received < buffered, `${download.received} bytes came`);
});
