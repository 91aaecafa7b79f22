// The HTTP layer against what is not, or hardly, HTTP: requests that proxies disagree about are
// refused, and one client's rubbish never becomes another request.

import assert from "node:assert/strict";
import { test } from "node:test";

import { request } from "./support/http_client.mjs";
import { assertError, assertTraced } from "./support/partner_api.mjs";
import { seededBytes } from "./support/random.mjs";
import { connect, exchange } from "./support/raw_http.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };

// name → [head lines behind the request line, accepted statuses]. %H stands for the host.
const refusedHeads = {
  "no Host": [["GET /healthz HTTP/1.1"], [400]],
  "two Hosts": [["GET /healthz HTTP/1.1", "Host: %H", "Host: %H"], [400]],
  "two unlike Hosts": [["GET /healthz HTTP/1.1", "Host: %H", "Host: evil"], [400]],
  "a folded line": [["GET /healthz HTTP/1.1", "Host: %H", "X-A: b", " c"], [400]],
  "a folded first line": [["GET /healthz HTTP/1.1", " Host: %H"], [400]],
  "a blank before the colon": [["GET /healthz HTTP/1.1", "Host : %H"], [400]],
  "a header without a colon": [["GET /healthz HTTP/1.1", "Host: %H", "rubbish"], [400]],
  "a header without a name": [["GET /healthz HTTP/1.1", "Host: %H", ": x"], [400]],
  "NUL in a value": [["GET /healthz HTTP/1.1", "Host: %H", "X-A: a\0b"], [400]],
  "NUL in a name": [["GET /healthz HTTP/1.1", "Host: %H", "X-\0A: b"], [400]],
  "NUL in the target": [["GET /health\0z HTTP/1.1", "Host: %H"], [400]],
  "a bare CR in a value": [["GET /healthz HTTP/1.1", "Host: %H", "X-A: a\rX-B: c"], [400]],
  "a control character in a value": [["GET /healthz HTTP/1.1", "Host: %H", "X-A: a\x01b"], [400]],
  "a blank in the target": [
    ["GET /health z HTTP/1.1", "Host: %H"],
    [400, 505],
  ],
  "an unknown version": [
    ["GET /healthz HTTP/3.7", "Host: %H"],
    [400, 505],
  ],
  "no version": [["GET /healthz", "Host: %H"], [400]],
  "an empty method": [[" /healthz HTTP/1.1", "Host: %H"], [400]],
  rubbish: [["\x16\x03\x01\x02\x00\x01\x00\x01"], [400]],
  "a target without a slash": [["GET healthz HTTP/1.1", "Host: %H"], [400]],
  CONNECT: [
    ["CONNECT example.com:443 HTTP/1.1", "Host: %H"],
    [400, 405, 404, 501],
  ],
  "two Content-Lengths": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: 3", "Content-Length: 4"],
    [400],
  ],
  "two equal Content-Lengths": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: 3", "Content-Length: 3"],
    [400],
  ],
  "a list of Content-Lengths": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: 3, 3"],
    [400],
  ],
  "a negative Content-Length": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: -3"],
    [400],
  ],
  "a Content-Length with a plus": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: +3"],
    [400],
  ],
  "a hexadecimal Content-Length": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: 0x3"],
    [400],
  ],
  "an empty Content-Length": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: "],
    [400],
  ],
  "a Content-Length beyond 64 bits": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: 99999999999999999999999"],
    [400, 413],
  ],
  "Content-Length and Transfer-Encoding": [
    [
      "POST /v3/attachments HTTP/1.1",
      "Host: %H",
      "Content-Length: 3",
      "Transfer-Encoding: chunked",
    ],
    [400],
  ],
  "an unknown Transfer-Encoding": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Transfer-Encoding: rot13"],
    [400, 501],
  ],
  "gzip, chunked": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Transfer-Encoding: gzip, chunked"],
    [400, 501],
  ],
  "chunked, chunked": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Transfer-Encoding: chunked, chunked"],
    [400, 501],
  ],
  "chunked, identity": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Transfer-Encoding: chunked, identity"],
    [400, 501],
  ],
  "a Transfer-Encoding in disguise": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Transfer-Encoding: \x0bchunked"],
    [400, 501],
  ],
  "two Transfer-Encodings": [
    [
      "POST /v3/attachments HTTP/1.1",
      "Host: %H",
      "Transfer-Encoding: chunked",
      "Transfer-Encoding: chunked",
    ],
    [400, 501],
  ],
  "Transfer-Encoding in HTTP/1.0": [
    ["POST /v3/attachments HTTP/1.0", "Host: %H", "Transfer-Encoding: chunked"],
    [400, 501],
  ],
  "another expectation": [
    ["POST /v3/attachments HTTP/1.1", "Host: %H", "Content-Length: 3", "Expect: foo"],
    [417],
  ],
  "too many headers": [
    ["GET /healthz HTTP/1.1", "Host: %H", ...Array.from({ length: 1000 }, (_, i) => `X-${i}: 1`)],
    [431],
  ],
};

test(
  "what is not HTTP as it should be is refused, with the envelope, and the connection ends",
  limit,
  async (t) => {
    const server = await startDev(t);
    for (const [what, [lines, statuses]] of Object.entries(refusedHeads)) {
      await t.test(what, async () => {
        const connection = await connect(t, server.port);
        const head = lines.join("\r\n").replaceAll("%H", `127.0.0.1:${server.port}`);
        // What follows must never be taken for a request of its own.
        connection.send(
          `${head}\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`,
        );
        const answer = await connection.answer();
        assert.ok(statuses.includes(answer.status), `${answer.line}, not ${statuses}`);
        assertError(answer, answer.status, JSON.parse(answer.body).error.code);
        connection.socket.end();
        await connection.untilClosed();
        assert.equal(connection.received.length, 0, connection.received.toString("latin1"));
      });
    }
    assert.equal((await request(`${server.origin}/healthz`)).status, 200);
  },
);

test("a head without end is cut at 16 KiB with 431", limit, async (t) => {
  const server = await startDev(t);
  for (const start of ["GET /", "GET /healthz HTTP/1.1\r\nX-A: "]) {
    const answer = await exchange(t, server.port, start + "a".repeat(40_000));
    assertError(answer, 431, 1003);
  }
});

test("a head that does not come in time ends the connection", limit, async (t) => {
  const server = await startDev(t);
  const connection = await connect(t, server.port);
  connection.send("GET /healthz HTTP/1.1\r\n");
  const drip = setInterval(() => connection.send("X-A: b\r\n"), 500);
  t.after(() => clearInterval(drip));
  const answer = await connection.answer({ deadlineMs: 30_000 });
  assertError(answer, 408, 1003);
});

test("two requests sent at once get two answers in order", limit, async (t) => {
  const server = await startDev(t);
  const bytes = seededBytes(200_000);
  const created = await server.api.upload({ filename: "a.png", contentType: "image/png", bytes });
  const host = `Host: 127.0.0.1:${server.port}\r\n`;
  const connection = await connect(t, server.port);
  connection.send(
    `GET ${new URL(created.download_url).pathname} HTTP/1.1\r\n${host}\r\n` +
      `HEAD ${new URL(created.download_url).pathname} HTTP/1.1\r\n${host}\r\n` +
      `GET /healthz HTTP/1.1\r\n${host}\r\n` +
      `GET /nothing HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
  );
  const file = await connection.answer();
  assert.equal(file.status, 200);
  assert.ok(file.body.equals(bytes));
  const head = await connection.answer({ bodyless: true });
  assert.equal(head.headers["content-length"], "200000");
  assert.equal((await connection.answer()).status, 200);
  const last = await connection.answer();
  assert.equal(last.status, 404);
  assert.equal(last.headers.connection, "close");
  await connection.untilClosed();
});

test("a request that comes byte by byte is understood", limit, async (t) => {
  const server = await startDev(t);
  const connection = await connect(t, server.port);
  const body = JSON.stringify({ filename: "a.txt", content_type: "text/plain", size_bytes: 3 });
  const text =
    `POST /v3/attachments HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
    `Authorization: Bearer ${server.key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (const byte of Buffer.from(text)) {
    connection.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.equal((await connection.answer()).status, 200);
});

test("absolute-form targets, HTTP/1.0 and leading empty lines are HTTP", limit, async (t) => {
  const server = await startDev(t);
  const host = `127.0.0.1:${server.port}`;
  const absolute = await exchange(
    t,
    server.port,
    `GET http://${host}/healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  );
  assert.equal(absolute.status, 200);

  const old = await connect(t, server.port);
  old.send("GET /healthz HTTP/1.0\r\n\r\n");
  assert.equal((await old.answer()).status, 200);
  await old.untilClosed();

  const keep = await connect(t, server.port);
  keep.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assert.equal((await keep.answer()).status, 200);
});

test(
  "a refused body does not end the connection, nor is it taken for a request",
  limit,
  async (t) => {
    const server = await startDev(t);
    const host = `Host: 127.0.0.1:${server.port}\r\n`;
    const smuggled = `GET /healthz HTTP/1.1\r\n${host}\r\n`;
    const connection = await connect(t, server.port);
    for (let round = 0; round < 3; round += 1) {
      connection.send(
        `POST /v3/attachments HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      );
      assertError(await connection.answer(), 401, 2004);
    }
    connection.send(`GET /healthz HTTP/1.1\r\n${host}\r\n`);
    const answer = await connection.answer();
    assert.equal(answer.status, 200);
    assertTraced(answer);
    assert.equal(connection.received.length, 0);
  },
);

test(
  "a refused large body: the client sees the answer although it goes on sending",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.create({ contentType: "image/png", size: 20_000_000 });
    for (let round = 0; round < 3; round += 1) {
      const answer = await request(created.upload_url, {
        method: "PUT",
        headers: { "content-type": "text/plain", "content-length": "20000000" },
        body: Array.from({ length: 200 }, () => seededBytes(100_000)),
      });
      assert.equal(answer.status, 403);
    }
  },
);

test("broken chunks are refused and what follows is no request", limit, async (t) => {
  const server = await startDev(t);
  const host = `Host: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.key}\r\n`;
  for (const body of [
    "zz\r\nabc\r\n0\r\n\r\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "-1\r\nabc\r\n0\r\n\r\n",
    "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    `${"0".repeat(20_000)}3\r\nabc\r\n0\r\n\r\n`,
    `3;${"x".repeat(100_000)}\r\nabc\r\n0\r\n\r\n`,
  ]) {
    const connection = await connect(t, server.port);
    connection.send(
      `POST /v3/attachments HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${body}GET /healthz HTTP/1.1\r\n${host}\r\n`,
    );
    const answer = await connection.answer();
    assert.ok([400, 413].includes(answer.status), `${answer.line} for ${body.slice(0, 20)}`);
    connection.socket.end();
    await connection.untilClosed();
    assert.equal(connection.received.length, 0);
  }
});

test("health and readiness need no key", limit, async (t) => {
  const server = await startDev(t);
  for (const path of ["/healthz", "/readyz"]) {
    const answer = await request(server.origin + path);
    assert.equal(answer.status, 200, String(answer.body));
    assertTraced(answer);
  }
});

test("hundreds of connections at once are served", limit, async (t) => {
  const server = await startDev(t);
  const connections = await Promise.all(Array.from({ length: 300 }, () => connect(t, server.port)));
  for (const connection of connections) {
    connection.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
  }
  for (const connection of connections) assert.equal((await connection.answer()).status, 200);
});
