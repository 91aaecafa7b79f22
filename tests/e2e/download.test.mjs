// download_url: whole files and ranges, caches, and headers that let nothing run.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { request } from "./support/http_client.mjs";
import { assertTraced, assertXmlError, jsonOf } from "./support/partner_api.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const size = 300_001; // Several frames and a bit.
const bytes = seededBytes(size);
const png = (name = "a.png", content = bytes) => ({
  filename: name,
  contentType: "image/png",
  bytes: content,
});

test("GET gives the bytes with their type and headers that let nothing run", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url, etag } = await server.api.upload(png());
  const answer = await request(url);
  assert.equal(answer.status, 200);
  assertTraced(answer);
  assert.ok(answer.body.equals(bytes));
  const { headers } = answer;
  assert.equal(headers["content-type"], "image/png");
  assert.equal(headers["content-length"], String(size));
  assert.equal(headers.etag, etag);
  assert.equal(headers["accept-ranges"], "bytes");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(headers["content-security-policy"], /default-src 'none'/);
  assert.match(headers["content-security-policy"], /sandbox/);
  assert.doesNotMatch(headers["content-security-policy"], /allow-scripts|script-src|unsafe-eval/);
  assert.match(headers["cache-control"], /^private\b/);
  assert.match(headers["content-disposition"], /^inline; filename="?a\.png"?$/);
});

test("the URL has the promised layout", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url, attachment_id: id } = await server.api.create({
    filename: "photo 1.jpg",
    size: 1,
  });
  assert.equal(
    url,
    `${server.origin}/attachments/partners/${server.partnerId}/${id}/photo%201.jpg`,
  );
});

test("HEAD gives the headers of GET and no body", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url } = await server.api.upload(png());
  const [get, head] = [await request(url), await request(url, { method: "HEAD" })];
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  for (const name of [
    "content-type",
    "content-length",
    "etag",
    "accept-ranges",
    "content-disposition",
    "cache-control",
    "content-security-policy",
    "x-content-type-options",
  ]) {
    assert.equal(head.headers[name], get.headers[name], name);
  }
});

const single = [
  ["bytes=0-0", 0, 0],
  ["bytes=0-99", 0, 99],
  ["bytes=65535-65536", 65535, 65536],
  ["bytes=65536-131071", 65536, 131071],
  ["bytes=100-", 100, size - 1],
  [`bytes=${size - 1}-`, size - 1, size - 1],
  [`bytes=${size - 10}-${size + 1000}`, size - 10, size - 1],
  ["bytes=-1", size - 1, size - 1],
  ["bytes=-70000", size - 70000, size - 1],
  [`bytes=-${size + 5}`, 0, size - 1],
  ["bytes=0-18446744073709551615", 0, size - 1],
  ["bytes=10-20,15-30", 10, 30],
  ["bytes=10-20,21-30", 10, 30],
];

test("single ranges are 206 with exactly those bytes", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url } = await server.api.upload(png());
  for (const [range, first, last] of single) {
    await t.test(range, async () => {
      const answer = await request(url, { headers: { range } });
      assert.equal(answer.status, 206);
      assert.equal(answer.headers["content-range"], `bytes ${first}-${last}/${size}`);
      assert.equal(answer.headers["content-length"], String(last - first + 1));
      assert.equal(answer.headers["content-type"], "image/png");
      assert.ok(answer.body.equals(bytes.subarray(first, last + 1)));
    });
  }
});

test("ranges beyond the end are 416 and say how long the file is", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url } = await server.api.upload(png());
  for (const range of [`bytes=${size}-`, `bytes=${size + 5}-${size + 9}`, "bytes=-0"]) {
    const answer = await request(url, { headers: { range } });
    assertXmlError(answer, 416, "InvalidRange");
    assert.equal(answer.headers["content-range"], `bytes */${size}`);
  }
});

test("what is no byte range is ignored", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url } = await server.api.upload(png());
  for (const range of [
    "bytes=",
    "bytes=a-b",
    "bytes=5-2",
    "bytes",
    "lines=1-2",
    "bytes=1",
    "bytes=--1",
    "bytes=1-2-3",
  ]) {
    const answer = await request(url, { headers: { range } });
    assert.equal(answer.status, 200, range);
    assert.ok(answer.body.equals(bytes), range);
  }
  const many = Array.from({ length: 2000 }, (_, index) => `${index * 3}-${index * 3}`).join(",");
  const answer = await request(url, {
    headers: { range: `bytes=${many}`.slice(0, 12_000).replace(/,[^,]*$/, "") },
  });
  assert.equal(answer.status, 200, "an unreasonable number of ranges");
});

function partsOf(answer) {
  const boundary = /^multipart\/byteranges; boundary=(.+)$/
    .exec(answer.headers["content-type"])[1]
    .replace(/^"|"$/g, "");
  const text = answer.body.toString("latin1");
  const pieces = `\r\n${text}`.split(`\r\n--${boundary}`);
  assert.equal(pieces[0], "");
  assert.match(pieces.at(-1), /^--(\r\n)?$/);
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf("\r\n\r\n");
    const range = /content-range: bytes (\d+)-(\d+)\/(\d+)/i.exec(piece.slice(0, end));
    assert.match(piece.slice(0, end), /content-type: image\/png/i);
    assert.equal(Number(range[3]), size);
    return {
      first: Number(range[1]),
      last: Number(range[2]),
      content: Buffer.from(piece.slice(end + 4), "latin1"),
    };
  });
}

test("several ranges come as multipart/byteranges", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url } = await server.api.upload(png());
  for (const [range, expected] of [
    [
      "bytes=0-9,100-199",
      [
        [0, 9],
        [100, 199],
      ],
    ],
    [
      "bytes=-5, 0-4",
      [
        [size - 5, size - 1],
        [0, 4],
      ],
    ],
    [
      "bytes=65000-66000,131000-132000,5-5",
      [
        [65000, 66000],
        [131000, 132000],
        [5, 5],
      ],
    ],
    [
      `bytes=0-1,${size}-,5-6`,
      [
        [0, 1],
        [5, 6],
      ],
    ],
  ]) {
    const answer = await request(url, { headers: { range } });
    assert.equal(answer.status, 206);
    assert.equal(answer.headers["content-length"], String(answer.body.length));
    const parts = partsOf(answer);
    assert.deepEqual(
      parts.map(({ first, last }) => [first, last]),
      expected,
    );
    for (const { first, last, content } of parts) {
      assert.ok(content.equals(bytes.subarray(first, last + 1)), `${first}-${last}`);
    }
  }
});

test("If-None-Match is 304 while the bytes are the same", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.upload(png());
  const { download_url: url, etag } = created;
  for (const value of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
    for (const method of ["GET", "HEAD"]) {
      const answer = await request(url, { method, headers: { "if-none-match": value } });
      assert.equal(answer.status, 304, value);
      assert.equal(answer.body.length, 0);
      assert.equal(answer.headers.etag, etag);
      assert.match(answer.headers["cache-control"], /^private\b/);
      assertTraced(answer);
    }
  }
  const other = await request(url, { headers: { "if-none-match": '"x"' } });
  assert.equal(other.status, 200);
});

test("If-Range gives the range of the same bytes, and all of changed ones", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url, etag } = await server.api.upload(png());
  const get = (condition) =>
    request(url, { headers: { range: "bytes=0-9", "if-range": condition } });
  assert.equal((await get(etag)).status, 206);
  for (const changed of ['"x"', `W/${etag}`, "Wed, 21 Oct 2015 07:28:00 GMT"]) {
    const answer = await get(changed);
    assert.equal(answer.status, 200, changed);
    assert.ok(answer.body.equals(bytes));
  }
});

test("pages, XML and scripts in disguise are handed out as files to save", limit, async (t) => {
  const server = await startDev(t);
  for (const [filename, contentType, disposition] of [
    ["page.html", "text/html", "attachment"],
    ["list.xml", "text/xml", "attachment"],
    ["page.html", "TEXT/HTML; charset=utf-8", "attachment"],
    ["note.txt", "text/plain", "inline"],
    ["photo.jpg", "image/jpeg", "inline"],
    ["letter.pdf", "application/pdf", "inline"],
  ]) {
    const content = Buffer.from("<script>alert(1)</script>");
    const { download_url: url } = await server.api.upload({
      filename,
      contentType,
      bytes: content,
    });
    const answer = await request(url);
    assert.equal(answer.headers["content-disposition"].split(";")[0], disposition, contentType);
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
  }
});

test(
  "the file name in the URL is for people, everything before it must be right",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.upload(png());
    const { download_url: url, attachment_id: id } = created;
    const folder = url.slice(0, url.lastIndexOf("/"));
    assert.equal((await request(`${folder}/other.png`)).status, 200);
    const wrong = [
      url.replace(server.partnerId, randomUUID()),
      url.replace(id, randomUUID()),
      url.replace(id, "not-a-uuid"),
      url.replace(server.partnerId, "not-a-uuid"),
      `${folder}/a/b.png`,
      folder,
      `${server.origin}/attachments/partners/${server.partnerId}`,
      `${server.origin}/attachments/partners/`,
      `${server.origin}/attachments/partners/${server.partnerId}/${id}/../../../../../etc/passwd`,
      `${server.origin}/attachments/partners/${server.partnerId}/..%2f..%2f..%2fetc%2fpasswd`,
    ];
    for (const one of wrong) {
      assertXmlError(await request(one), 404, "NoSuchKey");
      const head = await request(one, { method: "HEAD" });
      assert.equal(head.status, 404);
      assert.equal(head.body.length, 0);
    }
  },
);

test("pending and deleted attachments are 404, old URLs too", limit, async (t) => {
  const server = await startDev(t);
  const pending = await server.api.create({ size: 3 });
  assertXmlError(await request(pending.download_url), 404, "NoSuchKey");
  const created = await server.api.upload(png());
  assert.equal((await server.api.delete(created.attachment_id)).status, 204);
  for (const headers of [{}, { range: "bytes=0-9" }, { "if-none-match": created.etag }]) {
    assertXmlError(await request(created.download_url, { headers }), 404, "NoSuchKey");
  }
});

test("only GET and HEAD are allowed", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url, attachment_id: id } = await server.api.upload(png());
  for (const method of ["PUT", "POST", "DELETE", "PATCH"]) {
    const answer = await request(url, { method });
    assertXmlError(answer, 405, "MethodNotAllowed");
    assert.match(answer.headers.allow, /\bGET\b.*\bHEAD\b/);
  }
  assert.equal(jsonOf(await server.api.get(id)).status, "complete");
});

test("no credential is needed, and a wrong one does not harm", limit, async (t) => {
  const server = await startDev(t);
  const { download_url: url } = await server.api.upload(png());
  assert.equal((await request(url, { headers: { authorization: "Bearer wrong" } })).status, 200);
});
