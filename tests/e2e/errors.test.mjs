// What a client is told when something is wrong: every reachable row of the error table, in the
// one envelope, and nothing about what belongs to others.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { acceptedTypes, formerTypes, refusedTypes } from "./support/content_types.mjs";
import { request } from "./support/http_client.mjs";
import {
  PartnerApi,
  assertError,
  assertTraced,
  assertXmlError,
  jsonOf,
  put,
} from "./support/partner_api.mjs";
import { satchelJson } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const good = { filename: "a.txt", content_type: "text/plain", size_bytes: 3 };
const without = (name) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
const deep = (depth) => `{"filename":${"[".repeat(depth)}${"]".repeat(depth)}}`;

// what is wrong, the body, status, code
const wrongBodies = [
  ["no filename", without("filename"), 400, 1001],
  ["no content_type", without("content_type"), 400, 1001],
  ["no size_bytes", without("size_bytes"), 400, 1001],
  ["an empty object", {}, 400, 1001],
  ["not JSON", "{filename: 1}", 400, 1003],
  ["no body", "", 400, 1003],
  ["half a body", '{"filename":"a', 400, 1003],
  ["two bodies", JSON.stringify(good) + JSON.stringify(good), 400, 1003],
  ["an array", [good], 400, 1003],
  ["a string", JSON.stringify("text"), 400, 1003],
  ["null", "null", 400, 1003],
  ["a filename that is a number", { ...good, filename: 7 }, 400, 1003],
  ["a filename that is an object", { ...good, filename: {} }, 400, 1003],
  ["a content_type that is an array", { ...good, content_type: ["text/plain"] }, 400, 1003],
  ["a size_bytes that is a string", { ...good, size_bytes: "3" }, 400, 1003],
  ["a size_bytes with a fraction", { ...good, size_bytes: 3.5 }, 400, 1003],
  ["a size_bytes that is true", { ...good, size_bytes: true }, 400, 1003],
  [
    "invalid UTF-8",
    Buffer.from('{"filename":"\xff\xfe","content_type":"text/plain","size_bytes":3}', "latin1"),
    400,
    1003,
  ],
  [
    "half a surrogate pair",
    '{"filename":"\\ud800","content_type":"text/plain","size_bytes":3}',
    400,
    1003,
  ],
  ["nesting beyond the limit", deep(40), 400, 1003],
  ["nesting far beyond the limit", deep(20_000), 400, 1003],
  ["an empty filename", { ...good, filename: "" }, 400, 1005],
  ["a filename of 256 characters", { ...good, filename: "x".repeat(256) }, 400, 1005],
  ["a size_bytes of 0", { ...good, size_bytes: 0 }, 400, 1005],
  ["a negative size_bytes", { ...good, size_bytes: -1 }, 400, 1005],
  ["one byte too many", { ...good, size_bytes: 104857601 }, 400, 5005],
  ["far too many bytes", { ...good, size_bytes: Number.MAX_SAFE_INTEGER }, 400, 5005],
  ["an executable's extension", { ...good, filename: "setup.exe" }, 400, 5004],
  ["an executable's extension in capitals", { ...good, filename: "RUN.Sh" }, 400, 5004],
  ["an empty content_type", { ...good, content_type: "" }, 400, 5004],
];

test("every wrong body is answered with its own code", limit, async (t) => {
  const server = await startDev(t);
  for (const [what, body, status, code] of wrongBodies) {
    await t.test(what, async () => {
      assertError(await server.api.post(body), status, code);
    });
  }
  await t.test("and none of them made anything", async () => {
    const stats = JSON.parse((await server.admin("GET", "/admin/v1/stats")).body.toString());
    assert.doesNotMatch(JSON.stringify(stats), /"(pending|complete|failed)":\s*[1-9]/);
  });
});

test("unknown members and a missing Content-Type do not matter", limit, async (t) => {
  const server = await startDev(t);
  const extra = await server.api.post({ ...good, colour: { deep: [1, 2, 3] } });
  assert.equal(extra.status, 200, String(extra.body));
  const untyped = await server.api.post(JSON.stringify(good), { headers: { "content-type": "" } });
  assert.equal(untyped.status, 200, String(untyped.body));
});

test("limits are inclusive: 255 characters, 1 byte and 100 MiB are fine", limit, async (t) => {
  const server = await startDev(t);
  for (const body of [
    { ...good, filename: "x".repeat(255) },
    { ...good, filename: "é".repeat(255) },
    { ...good, filename: "😀".repeat(255) },
    { ...good, size_bytes: 1 },
    { ...good, size_bytes: 104857600 },
  ]) {
    assert.equal((await server.api.post(body)).status, 200);
  }
});

test("every content type of the table is accepted and echoed", limit, async (t) => {
  const server = await startDev(t);
  assert.equal(new Set(acceptedTypes).size, 49);
  const exact = ["Image/JPEG", "text/plain; charset=utf-8", "TEXT/CSV;header=present"];
  for (const type of [...acceptedTypes, ...formerTypes, ...exact]) {
    await t.test(type, async () => {
      const answer = await server.api.post({ ...good, content_type: type });
      assert.equal(answer.status, 200, String(answer.body));
      const created = jsonOf(answer);
      assert.equal(created.required_headers["Content-Type"], type);
      const found = jsonOf(await server.api.get(created.attachment_id));
      assert.equal(found.content_type, type);
      assert.equal((await put(created, Buffer.from("abc"))).status, 200);
    });
  }
});

test("refused content types are named in the message", limit, async (t) => {
  const server = await startDev(t);
  for (const type of refusedTypes) {
    await t.test(type, async () => {
      const body = assertError(await server.api.post({ ...good, content_type: type }), 400, 5004);
      assert.ok(body.error.message.includes(type), body.error.message);
    });
  }
});

test("a content type cannot carry header injection or rubbish", limit, async (t) => {
  const server = await startDev(t);
  for (const type of [
    "text/plain\r\nX-Evil: 1",
    "text/plain;\r\n a=b",
    "text/plain\u0000",
    "text/plain; x=\u0007",
    `text/plain; x=${"y".repeat(5000)}`,
    "text",
    "/",
    "text/plain, text/html",
  ]) {
    const answer = await server.api.post({ ...good, content_type: type });
    assert.equal(answer.status, 400, JSON.stringify(type));
    assertError(answer, 400, jsonOf(answer).error.code);
  }
});

test(
  "WebP and SVG are accepted when the setting says so, and served as what they are",
  limit,
  async (t) => {
    const server = await startDev(t, { env: { SATCHEL_MEDIA__ACCEPT_WEBP_AND_SVG: "true" } });
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    );
    const created = await server.api.upload({
      filename: "x.svg",
      contentType: "image/svg+xml",
      bytes: svg,
    });
    const answer = await request(created.download_url);
    assert.equal(answer.headers["content-type"], "image/svg+xml");
    assert.match(answer.headers["content-disposition"], /^attachment;/);
    assert.equal((await server.api.post({ ...good, content_type: "image/webp" })).status, 200);
  },
);

test(
  "only a live key of the partner opens the door, before anything else is looked at",
  limit,
  async (t) => {
    const server = await startDev(t);
    const wrong = [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      server.key,
      `Basic ${server.key}`,
      `Bearer ${server.key}x`,
      `Bearer ${server.key.slice(0, -1)}`,
      `Bearer ${server.key.toUpperCase()}`,
      `Bearer ${server.key} ${server.key}`,
      `Bearer ${"x".repeat(5000)}`,
      "Bearer null",
    ];
    const calls = [
      ["POST", "/v3/attachments"],
      ["POST", "/v3/attachments", "{not json"],
      ["GET", "/v3/attachments/not-a-uuid"],
      ["DELETE", `/v3/attachments/${randomUUID()}`],
      ["PUT", "/v3/attachments"],
    ];
    const nobody = new PartnerApi(server.baseUrl, undefined);
    for (const authorization of wrong) {
      for (const [method, path, body] of calls) {
        const answer = await nobody.call(method, path, {
          body,
          headers: authorization === undefined ? {} : { authorization },
        });
        const { error } = assertError(answer, 401, 2004);
        assert.equal(error.message, "Unauthorized - missing or invalid authentication token");
      }
    }
  },
);

test("the scheme word and the header's name have no case", limit, async (t) => {
  const server = await startDev(t);
  const api = new PartnerApi(server.baseUrl, undefined);
  for (const headers of [
    { AUTHORIZATION: `Bearer ${server.key}` },
    { Authorization: `bearer ${server.key}` },
    { authorization: `BEARER ${server.key}` },
  ]) {
    assert.equal((await api.post(JSON.stringify(good), { headers })).status, 200);
  }
});

test("a malformed id is 400, an unknown one 404", limit, async (t) => {
  const server = await startDev(t);
  const malformed = [
    "not-a-uuid",
    "1",
    "%00",
    "%2e%2e",
    "..%2f..%2fetc",
    "'",
    "null",
    "550e8400-e29b-41d4-a716-44665544000",
    "550e8400-e29b-41d4-a716-4466554400000",
    "550e8400e29b41d4a716446655440000",
    "550e8400-e29b-41d4-a716-44665544000g",
    "{550e8400-e29b-41d4-a716-446655440000}",
    "x".repeat(3000),
  ];
  for (const id of malformed) {
    assertError(await server.api.get(id), 400, 1005);
    assertError(await server.api.delete(id), 400, 1005);
  }
  for (const id of [randomUUID(), "00000000-0000-0000-0000-000000000000"]) {
    const { error } = assertError(await server.api.get(id), 404, 2003);
    assert.equal(error.message, "Attachment not found");
    assertError(await server.api.delete(id), 404, 2003);
  }
});

test("unknown paths and wrong methods have the envelope too", limit, async (t) => {
  const server = await startDev(t);
  const id = randomUUID();
  for (const path of [
    "/v3/nothing",
    "/v3/attachments/",
    `/v3/attachments/${id}/more`,
    "/v3",
    "/v4/attachments",
  ]) {
    const answer = await server.api.call("GET", path);
    assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
    assertError(answer, answer.status, answer.status === 404 ? 2001 : 1005);
  }
  for (const path of [
    "/",
    "/nothing",
    "/admin/v1/stats",
    "/metrics",
    "/api/partner",
    "/favicon.ico",
  ]) {
    assertError(await request(server.origin + path), 404, 2001);
  }
  for (const [method, path, allow] of [
    ["PUT", "/v3/attachments", ["POST"]],
    ["DELETE", "/v3/attachments", ["POST"]],
    ["GET", "/v3/attachments", ["POST"]],
    ["POST", `/v3/attachments/${id}`, ["GET", "DELETE"]],
    ["PATCH", `/v3/attachments/${id}`, ["GET", "DELETE"]],
    ["PROPFIND", `/v3/attachments/${id}`, ["GET", "DELETE"]],
  ]) {
    const answer = await server.api.call(method, path);
    assertError(answer, 405, 1005);
    const allowed = answer.headers.allow.split(",").map((word) => word.trim());
    for (const one of allow)
      assert.ok(allowed.includes(one), `${method} ${path}: ${answer.headers.allow}`);
  }
});

test("a body beyond 64 KiB is 413, announced or chunked", limit, async (t) => {
  const server = await startDev(t);
  const padded = (size) => {
    const json = JSON.stringify({ ...good, pad: "" });
    return JSON.stringify({ ...good, pad: "p".repeat(size - json.length) });
  };
  const fits = await server.api.post(padded(64 * 1024));
  assert.equal(fits.status, 200, String(fits.body));
  assertError(await server.api.post(padded(64 * 1024 + 1)), 413, 1003);
  const chunks = Array.from({ length: 40 }, () => Buffer.alloc(16 * 1024, 32));
  assertError(
    await server.api.post(chunks, {
      headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
    }),
    413,
    1003,
  );
});

test("a chunked JSON body is read as any other", limit, async (t) => {
  const server = await startDev(t);
  const json = Buffer.from(JSON.stringify(good));
  const api = new PartnerApi(server.baseUrl, server.key);
  const answer = await request(`${api.base}/v3/attachments`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: [json.subarray(0, 10), json.subarray(10, 11), json.subarray(11)],
  });
  assert.equal(answer.status, 200, String(answer.body));
});

test("a head beyond 16 KiB is 431, a long URL too", limit, async (t) => {
  const server = await startDev(t);
  const { attachment_id: id } = await server.api.create({ size: 3 });
  const fits = await server.api.get(id, { headers: { "x-pad": "p".repeat(15 * 1024) } });
  assert.equal(fits.status, 200);
  assertError(await server.api.get(id, { headers: { "x-pad": "p".repeat(17 * 1024) } }), 431, 1003);
  assertError(await server.api.get("x".repeat(20 * 1024)), 431, 1003);
});

test("every answer has its own trace id, whatever the client sends", limit, async (t) => {
  const server = await startDev(t);
  const sent = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { traceparent: `00-${sent}-00f067aa0ba902b7-01`, "x-trace-id": sent };
  const seen = new Set();
  for (const answer of [
    await server.api.get(randomUUID(), { headers }),
    await server.api.get(randomUUID(), { headers }),
    await server.api.post(good, { headers }),
    await request(`${server.origin}/healthz`, { headers }),
    await request(`${server.origin}/attachments/partners/x`, { headers }),
  ]) {
    assertTraced(answer);
    assert.notEqual(answer.headers["x-trace-id"], sent);
    seen.add(answer.headers["x-trace-id"]);
  }
  assert.equal(seen.size, 5);
});

test("another partner's attachment looks exactly like an unknown one", limit, async (t) => {
  const server = await startDev(t);
  const second = await satchelJson(["partner", "add", "second", "--data", server.folder]);
  const stranger = new PartnerApi(server.baseUrl, second.api_key);
  const bytes = Buffer.from("mine alone");
  const mine = await server.api.upload({ filename: "a.txt", contentType: "text/plain", bytes });
  const pending = await server.api.create({ size: 3 });

  const seenBy = async (call) => {
    const answer = await call;
    assertError(answer, 404, 2003);
    const trace = answer.headers["x-trace-id"];
    const headers = answer.rawHeaders.map((text) => (text === trace ? "TRACE" : text));
    const date = headers.indexOf("Date");
    if (date >= 0) headers[date + 1] = "DATE";
    return JSON.stringify([headers, answer.body.toString().replaceAll(trace, "TRACE")]);
  };
  const unknown = randomUUID();
  for (const id of [mine.attachment_id, pending.attachment_id]) {
    assert.equal(await seenBy(stranger.get(id)), await seenBy(stranger.get(unknown)));
    assert.equal(await seenBy(stranger.delete(id)), await seenBy(stranger.delete(unknown)));
  }
  // Nor does the file server tell: the stranger's id with my attachment.
  const crossed = mine.download_url.replace(server.partnerId, second.partner_id);
  assert.notEqual(crossed, mine.download_url);
  assertXmlError(await request(crossed), 404, "NoSuchKey");

  assert.ok((await request(mine.download_url)).body.equals(bytes), "still there for its owner");
  assert.equal((await put(pending, Buffer.from("abc"))).status, 200);
});

test("a browser of any origin may call a dev server", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ size: 3 });
  const preflight = await request(created.upload_url, {
    method: "OPTIONS",
    headers: {
      origin: "https://app.example.com",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "content-type",
    },
  });
  assert.ok(preflight.status === 200 || preflight.status === 204, String(preflight.status));
  assert.match(preflight.headers["access-control-allow-methods"], /\bPUT\b/);
  assert.match(preflight.headers["access-control-allow-headers"], /content-type/i);
  const stored = await put(created, Buffer.from("abc"), {
    headers: { origin: "https://app.example.com" },
  });
  assert.equal(stored.status, 200);
  assert.ok(
    ["*", "https://app.example.com"].includes(stored.headers["access-control-allow-origin"]),
  );
});
