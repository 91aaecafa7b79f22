// satchel serve: a configuration file, TLS, and refusals that say where and what to change.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import tls from "node:tls";

import { within } from "./support/deadline.mjs";
import { modeOf } from "./support/data_folder.mjs";
import { request } from "./support/http_client.mjs";
import { PartnerApi, jsonOf, put } from "./support/partner_api.mjs";
import { run, satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { SatchelProcess } from "./support/server.mjs";
import { connectWithRecords, contentType } from "./support/tls_records.mjs";

const limit = { timeout: 120_000 };

// A certificate for 127.0.0.1 that only this test trusts: { cert, key } as paths.
async function makeCertificate(folder) {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const made = await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=satchel test",
    "-addext",
    "subjectAltName=IP:127.0.0.1",
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  assert.equal(made.code, 0, made.stderr);
  return { cert, key };
}

// Lines of a file; the numbers in messages count from 1.
function settings(folder, { server = [], extra = [] } = {}) {
  return [
    "[server]",
    'listen = "127.0.0.1:0"',
    ...server,
    "[admin]",
    'listen = "127.0.0.1:0"',
    "[metadata]",
    `sqlite = "${join(folder, "data", "satchel.db")}"`,
    "[blobs]",
    `local = "${join(folder, "data", "blobs")}"`,
    "[encryption]",
    `master_key_file = "${join(folder, "keys", "master.key")}"`,
    ...extra,
  ];
}

function writeSettings(folder, lines) {
  const file = join(folder, "satchel.toml");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

class ServeServer extends SatchelProcess {
  async becomeReady(folder) {
    await this.started(() => /"api_url":/.test(this.output), "the ready line in the log");
    const ready = JSON.parse(this.output.split("\n").find((line) => line.includes('"api_url":')));
    this.origin = ready.api_url;
    this.port = Number(new URL(this.origin).port);
    this.dataFolder = join(folder, "data");
  }
}

async function startServe(t, folder, file, env = {}) {
  const server = new ServeServer(["serve", "--config", file], env);
  t.after(() => server.running && server.stop());
  await server.becomeReady(folder);
  return server;
}

async function startTls(t) {
  const folder = temporaryFolder(t);
  const { cert, key } = await makeCertificate(folder);
  const file = writeSettings(
    folder,
    settings(folder, { server: [`tls_cert = "${cert}"`, `tls_key = "${key}"`] }),
  );
  const server = await startServe(t, folder, file);
  server.ca = readFileSync(cert);
  server.file = file;
  return server;
}

test("an attachment's life over TLS", limit, async (t) => {
  const server = await startTls(t);
  const { ca } = server;
  assert.match(server.origin, /^https:/);
  const partner = await satchelJson(["partner", "add", "acme", "--config", server.file]);
  const api = new PartnerApi(`${server.origin}/api/partner`, partner.api_key);
  const bytes = seededBytes(3_000_000);
  const body = { filename: "a.png", content_type: "image/png", size_bytes: bytes.length };
  const created = jsonOf(await api.post(body, { ca }));
  assert.ok(created.upload_url.startsWith(server.origin), created.upload_url);
  assert.ok(created.download_url.startsWith(server.origin), created.download_url);
  assert.equal((await put(created, bytes, { ca })).status, 200);
  const download = await request(created.download_url, { ca });
  assert.ok(download.body.equals(bytes));
  const range = await request(created.download_url, {
    ca,
    headers: { range: "bytes=1000000-1999999" },
  });
  assert.ok(range.body.equals(bytes.subarray(1_000_000, 2_000_000)));
  assert.equal((await api.delete(created.attachment_id, { ca })).status, 204);
  assert.equal((await request(created.download_url, { ca })).status, 404);
  assert.equal(modeOf(join(server.dataFolder, "..", "keys", "master.key")), 0o600);
});

// Resolves to the protocol that was agreed on, rejects when the handshake fails.
function handshake(port, options) {
  return within(
    new Promise((resolve, reject) => {
      const socket = tls.connect(
        { port, host: "127.0.0.1", rejectUnauthorized: false, ...options },
        () => {
          const protocol = socket.getProtocol();
          socket.destroy();
          resolve(protocol);
        },
      );
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("closed")));
    }),
    { what: "a TLS handshake" },
  );
}

test("TLS 1.3 and 1.2 are spoken, nothing older and nothing in clear", limit, async (t) => {
  const server = await startTls(t);
  assert.equal(await handshake(server.port, {}), "TLSv1.3");
  assert.equal(await handshake(server.port, { maxVersion: "TLSv1.2" }), "TLSv1.2");
  for (const old of ["TLSv1.1", "TLSv1"]) {
    const options = { minVersion: "TLSv1", maxVersion: old, ciphers: "DEFAULT@SECLEVEL=0" };
    await assert.rejects(handshake(server.port, options), old);
  }
  await assert.rejects(request(`http://127.0.0.1:${server.port}/healthz`));
  await assert.rejects(request(`${server.origin}/healthz`), "an unknown authority");
  assert.equal((await request(`${server.origin}/healthz`, { ca: server.ca })).status, 200);
});

test("one TLS connection serves many requests", limit, async (t) => {
  const server = await startTls(t);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: server.ca });
  t.after(() => agent.destroy());
  const sockets = new Set();
  for (let index = 0; index < 20; index += 1) {
    await new Promise((resolve, reject) => {
      https
        .get(`${server.origin}/healthz`, { agent }, (message) => {
          sockets.add(message.socket);
          assert.equal(message.statusCode, 200);
          message.resume().on("end", resolve);
        })
        .on("error", reject);
    });
  }
  assert.equal(sockets.size, 1);
});

test("clear text is for loopback alone, unless a proxy does TLS", limit, async (t) => {
  const folder = temporaryFolder(t);
  const open = settings(folder);
  for (const address of ["0.0.0.0:0", "[::]:0", "192.0.2.1:8780"]) {
    open[1] = `listen = "${address}"`;
    const refused = await satchel(["serve", "--config", writeSettings(folder, open)]);
    assert.equal(refused.code, 1, address);
    assert.match(refused.stderr, /satchel\.toml:2\b/);
    assert.match(refused.stderr, /TLS/);
    assert.match(refused.stderr, /behind_tls_proxy/);
  }
  const proxied = settings(folder, {
    server: ["behind_tls_proxy = true", 'public_api_url = "https://files.example.com"'],
  });
  proxied[1] = 'listen = "0.0.0.0:0"';
  const checked = await satchel(["serve", "--check", "--config", writeSettings(folder, proxied)]);
  assert.equal(checked.code, 0, checked.stderr);
});

test("URLs handed out stand on the configured public bases", limit, async (t) => {
  const folder = temporaryFolder(t);
  const file = writeSettings(
    folder,
    settings(folder, {
      server: [
        'public_api_url = "https://api.example.com"',
        'public_upload_url = "https://up.example.com"',
        'public_cdn_url = "https://cdn.example.com"',
        "behind_tls_proxy = true",
      ],
      extra: ["[log]", 'level = "info"'],
    }),
  );
  const server = new ServeServer(["serve", "--config", file]);
  t.after(() => server.running && server.stop());
  await server.started(() => /"api_url":/.test(server.output), "the ready line in the log");
  const admin = JSON.parse(readFileSync(join(folder, "data", "admin.json"), "utf8"));
  const headers = { authorization: `Bearer ${admin.token}` };
  const made = await request(`${admin.url}/admin/v1/partners`, {
    method: "POST",
    headers,
    body: '{"name":"acme"}',
  });
  const { partner_id: partner } = JSON.parse(made.body);
  const answer = await request(`${admin.url}/admin/v1/partners/${partner}/attachments`, {
    method: "POST",
    headers,
    body: '{"filename":"a.txt","content_type":"text/plain","size_bytes":3}',
  });
  const created = JSON.parse(answer.body);
  assert.match(created.upload_url, /^https:\/\/up\.example\.com\/_upload\//);
  assert.match(created.download_url, /^https:\/\/cdn\.example\.com\/attachments\/partners\//);
});

// what is wrong, the line that is changed or added, its number, what the message must say
test("an unknown key or a bad value names file, line and what is accepted", limit, async (t) => {
  const folder = temporaryFolder(t);
  const wrong = [
    ["an unknown key", { server: ["speed = 9"] }, 3, /server\.speed/, /listen/],
    ["an unknown section", { extra: ["[speed]", "x = 1"] }, 11, /speed/, /server/],
    [
      "a bad endpoint",
      { server: ['public_api_url = "ftp://x"'] },
      3,
      /public_api_url/,
      /https:\/\//,
    ],
    ["a wrong type", { server: ["behind_tls_proxy = 1"] }, 3, /behind_tls_proxy/, /true or false/],
    ["a bad level", { extra: ["[log]", 'level = "loud"'] }, 12, /log\.level/, /debug, info, warn/],
    ["a number in quotes", { server: ['connections_max = "9"'] }, 3, /connections_max/, /number/],
    ["a number too large", { server: ["threads = 6400"] }, 3, /server\.threads/, /64/],
    ["broken TOML", { server: ["= 7"] }, 3, /./, /./],
    [
      "a certificate without key",
      { server: ['tls_cert = "/nowhere/cert.pem"'] },
      3,
      /tls_cert/,
      /tls_key/,
    ],
  ];
  for (const [what, change, line, ...says] of wrong) {
    await t.test(what, async () => {
      const file = writeSettings(folder, settings(folder, change));
      for (const args of [["--check"], []]) {
        const result = await satchel(["serve", "--config", file, ...args], { deadlineMs: 30_000 });
        assert.equal(result.code, 1, result.stdout);
        assert.equal(result.stdout, "");
        assert.ok(result.stderr.includes(`${file}:${line}`), result.stderr);
        assert.equal(result.stderr.trim().split("\n").length, 1, result.stderr);
        for (const pattern of says) assert.match(result.stderr, pattern);
      }
    });
  }
  assert.ok(!existsSync(join(folder, "data")), "a refused start makes nothing");
});

test("missing settings, files and certificates are named", limit, async (t) => {
  const folder = temporaryFolder(t);
  const check = (lines) => satchel(["serve", "--check", "--config", writeSettings(folder, lines)]);

  const unset = await check(settings(folder).filter((line) => !line.startsWith("sqlite")));
  assert.equal(unset.code, 1);
  assert.match(unset.stderr, /metadata\.sqlite/);

  const absent = await satchel(["serve", "--config", join(folder, "absent.toml")]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /absent\.toml/);

  const { cert, key } = await makeCertificate(folder);
  for (const [one, two] of [
    [join(folder, "none.pem"), key],
    [cert, join(folder, "none.pem")],
    [key, key],
    [cert, cert],
  ]) {
    const result = await check(
      settings(folder, { server: [`tls_cert = "${one}"`, `tls_key = "${two}"`] }),
    );
    assert.equal(result.code, 1, `${one} ${two}`);
    assert.match(result.stderr, /\.pem/);
  }
});

test("--check says that a good file is good, and makes nothing", limit, async (t) => {
  const folder = temporaryFolder(t);
  const file = writeSettings(folder, settings(folder));
  const text = await satchel(["serve", "--config", file, "--check"]);
  assert.equal(text.code, 0, text.stderr);
  const json = await satchelJson(["serve", "--config", file, "--check"]);
  assert.equal(typeof json, "object");
  assert.ok(!existsSync(join(folder, "data")));
  assert.ok(!existsSync(join(folder, "keys")));
});

test("the environment wins over the file, and its mistakes are named too", limit, async (t) => {
  const folder = temporaryFolder(t);
  const file = writeSettings(
    folder,
    settings(folder, { extra: ["[media]", "accept_webp_and_svg = false"] }),
  );
  const server = await startServe(t, folder, file, { SATCHEL_MEDIA__ACCEPT_WEBP_AND_SVG: "true" });
  const partner = await satchelJson(["partner", "add", "acme", "--data", server.dataFolder]);
  const api = new PartnerApi(server.origin, partner.api_key);
  assert.equal(
    (await api.post({ filename: "a.webp", content_type: "image/webp", size_bytes: 3 })).status,
    200,
  );
  await server.stop();

  for (const [name, value] of [
    ["SATCHEL_MEDIA__ACCEPT_WEBP_AND_SVG", "maybe"],
    ["SATCHEL_SERVER__SPEED", "9"],
    ["SATCHEL_SERVER__LISTEN", "somewhere"],
  ]) {
    const result = await satchel(["serve", "--config", file, "--check"], {
      env: { [name]: value },
    });
    assert.equal(result.code, 1, name);
    assert.ok(result.stderr.includes(name), result.stderr);
  }
});

test("the admin API wants its token, and it is not on the public listener", limit, async (t) => {
  const folder = temporaryFolder(t);
  const server = await startServe(t, folder, writeSettings(folder, settings(folder)));
  const admin = JSON.parse(readFileSync(join(server.dataFolder, "admin.json"), "utf8"));
  for (const headers of [
    {},
    { authorization: "Bearer wrong" },
    { authorization: `Basic ${admin.token}` },
  ]) {
    assert.equal((await request(`${admin.url}/admin/v1/partners`, { headers })).status, 401);
  }
  const headers = { authorization: `Bearer ${admin.token}` };
  assert.equal((await request(`${admin.url}/admin/v1/partners`, { headers })).status, 200);
  assert.equal((await request(`${server.origin}/admin/v1/partners`, { headers })).status, 404);
  const metrics = await request(`${admin.url}/metrics`, { headers });
  assert.equal(metrics.status, 200);
  assert.match(String(metrics.body), /^# HELP satchel_/m);
  assert.equal((await request(`${server.origin}/metrics`)).status, 404);
  const clock = await request(`${admin.url}/admin/v1/clock`, {
    method: "POST",
    headers,
    body: '{"advance_seconds":1}',
  });
  assert.equal(clock.status, 403, "time moves only with --test-clock");
});

test("half a key update in front of an answer harms nobody else", limit, async (t) => {
  const folder = temporaryFolder(t);
  const { cert, key } = await makeCertificate(folder);
  const file = writeSettings(
    folder,
    settings(folder, { server: [`tls_cert = "${cert}"`, `tls_key = "${key}"`, "threads = 1"] }),
  );
  const server = await startServe(t, folder, file);
  const client = await within(connectWithRecords(server.port), { what: "the handshake" });
  // Half a head has to be answered (408, after ten seconds) while TLS waits for the rest.
  client.send("GET /hea", contentType.applicationData);
  client.send([24, 0, 0, 1], contentType.handshake);
  await within(client.closed, { what: "the end of that connection", deadlineMs: 60_000 });
  const health = await request(`${server.origin}/healthz`, { ca: readFileSync(cert) });
  assert.equal(health.status, 200);
});
