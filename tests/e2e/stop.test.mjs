// SIGTERM: what runs is finished, nothing new begins, and the process leaves with exit code 0.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { satchel } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { connect } from "./support/raw_http.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };

function isRefused(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}

async function beginUpload(t, server, size) {
  const created = await server.api.create({ contentType: "image/png", size });
  const connection = await connect(t, server.port);
  const target = created.upload_url.slice(server.origin.length);
  connection.send(
    `PUT ${target} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Type: image/png\r\n` +
      `Content-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`,
  );
  assert.equal((await connection.answer()).status, 100);
  return { created, connection };
}

test("a slow upload that runs is finished, new connections are refused", limit, async (t) => {
  const server = await startDev(t);
  const bytes = seededBytes(200_000);
  const { created, connection } = await beginUpload(t, server, bytes.length);
  connection.send(bytes.subarray(0, 100_000));

  const ended = server.terminate();
  await until(() => isRefused(server.port), { what: "refused connections" });
  assert.ok(server.running, "it waits for the upload");
  connection.send(bytes.subarray(100_000));
  const answer = await connection.answer();
  assert.equal(answer.status, 200, String(answer.body));
  assert.equal(answer.headers.connection, "close");
  assert.deepEqual(await ended, { code: 0, signal: null });

  const again = await startDev(t, { data: server.folder });
  const path = new URL(created.download_url).pathname;
  assert.ok((await request(again.origin + path)).body.equals(bytes));
});

test("a slow download that runs is finished", limit, async (t) => {
  const server = await startDev(t);
  const bytes = seededBytes(40 * 1024 * 1024);
  const created = await server.api.upload({
    filename: "a.zip",
    contentType: "application/zip",
    bytes,
  });
  const response = await fetch(created.download_url);
  const reader = response.body.getReader();
  const chunks = [Buffer.from((await reader.read()).value)];
  const ended = server.terminate();
  await until(() => isRefused(server.port), { what: "refused connections" });
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(Buffer.from(next.value));
  }
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.equal((await ended).code, 0);
});

test("idle connections do not hold up the stop", limit, async (t) => {
  const server = await startDev(t);
  const idle = [];
  for (let index = 0; index < 20; index += 1) {
    const connection = await connect(t, server.port);
    if (index % 2 === 0) {
      connection.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
      assert.equal((await connection.answer()).status, 200);
    }
    idle.push(connection);
  }
  const began = Date.now();
  assert.equal((await server.terminate()).code, 0);
  assert.ok(Date.now() - began < 8000, "well before the 10 seconds that running requests get");
  for (const connection of idle) await connection.untilClosed();
});

test(
  "an upload that does not move is cut after the grace, and leaves nothing",
  limit,
  async (t) => {
    const server = await startDev(t);
    const { created, connection } = await beginUpload(t, server, 100_000);
    connection.send(seededBytes(50_000));
    assert.deepEqual(await server.terminate(), { code: 0, signal: null });
    await connection.untilClosed();

    const again = await startDev(t, { data: server.folder });
    const answer = await again.api.get(created.attachment_id);
    assert.equal(JSON.parse(answer.body).status, "pending");
    assert.equal((await satchel(["fsck", "--data", again.folder])).code, 0);
  },
);

test("SIGINT stops it as well, and a stopped server leaves no admin.json", limit, async (t) => {
  const server = await startDev(t);
  const file = join(server.folder, "admin.json");
  assert.ok(existsSync(file));
  assert.deepEqual(await server.terminate("SIGINT"), { code: 0, signal: null });
  assert.ok(!existsSync(file));
});

test("a second server on the same folder is refused and harms nothing", limit, async (t) => {
  const server = await startDev(t);
  const second = await satchel(["dev", "--port", "0", "--data", server.folder], {
    deadlineMs: 30_000,
  });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /in use/);
  assert.equal(second.stderr.trim().split("\n").length, 1, second.stderr);
  assert.ok(existsSync(join(server.folder, "admin.json")));
  assert.equal((await server.api.create({ size: 3 })).http_method, "PUT");
});

test("a taken port is refused with a clear line", limit, async (t) => {
  const server = await startDev(t);
  const second = await satchel(
    ["dev", "--port", String(server.port), "--data", `${server.folder}-other`],
    { deadlineMs: 30_000 },
  );
  assert.equal(second.code, 1);
  assert.ok(second.stderr.includes(String(server.port)), second.stderr);
});
