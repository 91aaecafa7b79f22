// upload_url is a presigned S3 PUT: exactly what was signed is stored, nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

import { checksumHeaders } from "./support/checksums.mjs";
import { request } from "./support/http_client.mjs";
import { assertTraced, assertXmlError, jsonOf, put } from "./support/partner_api.mjs";
import { seededBytes } from "./support/random.mjs";
import { presign } from "./support/presigned_url.mjs";
import { connect, exchange } from "./support/raw_http.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const size = 100_000;
const bytes = seededBytes(size);

async function assertPending(server, created) {
  assert.equal(jsonOf(await server.api.get(created.attachment_id)).status, "pending");
  assertXmlError(await request(created.download_url), 404, "NoSuchKey");
}

async function assertStored(server, created, expected) {
  assert.equal(jsonOf(await server.api.get(created.attachment_id)).status, "complete");
  const answer = await request(created.download_url);
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(expected), "bytes differ");
}

const targetOf = (created) => created.upload_url.slice(new URL(created.upload_url).origin.length);

test(
  "the URL has the form that S3 clients know, and its key is no secret of ours",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.create({ contentType: "image/png", size });
    const url = new URL(created.upload_url);
    assert.equal(url.origin, server.origin);
    assert.ok(url.pathname.includes(created.attachment_id));
    const query = url.searchParams;
    assert.equal(query.get("X-Amz-Algorithm"), "AWS4-HMAC-SHA256");
    assert.match(query.get("X-Amz-Credential"), /^[^/]+\/\d{8}\/[^/]+\/s3\/aws4_request$/);
    assert.match(query.get("X-Amz-Date"), /^\d{8}T\d{6}Z$/);
    assert.equal(query.get("X-Amz-Expires"), "900");
    assert.equal(query.get("X-Amz-SignedHeaders"), "content-length;content-type;host");
    assert.match(query.get("X-Amz-Signature"), /^[0-9a-f]{64}$/);
    assert.ok(!created.upload_url.includes(server.key));
  },
);

test("whatever differs from what was signed is refused and nothing is stored", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "image/png", size });
  const { upload_url: url } = created;
  const flip = (name, change) => {
    const changed = new URL(url);
    changed.searchParams.set(name, change(changed.searchParams.get(name)));
    return changed.toString();
  };
  const digit = (text) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");

  const refused = {
    "another type": { headers: { "Content-Type": "image/jpeg" } },
    "the type in capitals": { headers: { "Content-Type": "IMAGE/PNG" } },
    "a type with a parameter": { headers: { "Content-Type": "image/png; x=y" } },
    "no type": { headers: { "Content-Type": undefined } },
    "one byte less": { body: bytes.subarray(1), headers: { "Content-Length": String(size - 1) } },
    "one byte more": {
      body: Buffer.concat([bytes, Buffer.from("x")]),
      headers: { "Content-Length": String(size + 1) },
    },
    "no bytes": { body: "", headers: { "Content-Length": "0" } },
    "another Host": { headers: { Host: "example.com" } },
    "another port in Host": { headers: { Host: `127.0.0.1:${server.port + 1}` } },
    POST: { method: "POST" },
    PATCH: { method: "PATCH" },
    DELETE: { method: "DELETE" },
    "another signature": { url: flip("X-Amz-Signature", digit) },
    "a signature in capitals": { url: flip("X-Amz-Signature", (text) => text.toUpperCase()) },
    "a shorter signature": { url: flip("X-Amz-Signature", (text) => text.slice(0, -1)) },
    "a longer life": { url: flip("X-Amz-Expires", () => "901") },
    "another date": {
      url: flip("X-Amz-Date", (text) =>
        text.replace(/\dZ$/, (end) => `${(Number(end[0]) + 1) % 10}Z`),
      ),
    },
    "another key id": { url: flip("X-Amz-Credential", (text) => `x${text}`) },
    "another region": {
      url: flip("X-Amz-Credential", (text) => text.replace(/\/[^/]+\/s3\//, "/mars/s3/")),
    },
    "fewer signed headers": { url: flip("X-Amz-SignedHeaders", () => "content-type;host") },
    "another attachment": {
      url: url.replace(created.attachment_id, "550e8400-e29b-41d4-a716-446655440000"),
    },
    "one more parameter": { url: `${url}&x=1` },
    "one more empty parameter": { url: `${url}&acl` },
    "a repeated parameter": { url: `${url}&X-Amz-Expires=900` },
    "a longer path": { url: url.replace("?", "/x?") },
    "an ACL": { headers: { "x-amz-acl": "public-read" } },
    "a copy source": { headers: { "x-amz-copy-source": "/a/b" } },
    metadata: { headers: { "x-amz-meta-a": "b" } },
    "an aws-chunked body": { headers: { "x-amz-decoded-content-length": String(size) } },
  };
  for (const [what, { body = bytes, ...options }] of Object.entries(refused)) {
    await t.test(what, async () => {
      const answer = await put(created, body, options);
      assert.ok([400, 403].includes(answer.status), `${answer.status} ${answer.body}`);
      const malformed = answer.status === 400;
      if (malformed) assert.ok(options.url, "only the query can be malformed");
      assertXmlError(
        answer,
        answer.status,
        malformed ? "AuthorizationQueryParametersError" : "SignatureDoesNotMatch",
      );
      await assertPending(server, created);
    });
  }
  for (const name of [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
  ]) {
    await t.test(`without ${name}`, async () => {
      const stripped = new URL(url);
      stripped.searchParams.delete(name);
      const answer = await put(created, bytes, { url: stripped.toString() });
      assert.ok([400, 403].includes(answer.status), `${answer.status}`);
      await assertPending(server, created);
    });
  }
  await t.test("no query at all", async () => {
    assertXmlError(await put(created, bytes, { url: url.split("?")[0] }), 403, "AccessDenied");
  });
  await t.test("GET and HEAD with the upload's URL", async () => {
    const got = await request(url);
    assertXmlError(got, 403, "SignatureDoesNotMatch");
    assert.equal((await request(url, { method: "HEAD" })).status, 403);
  });
  await t.test("and after all that the right one is stored", async () => {
    assert.equal((await put(created, bytes)).status, 200);
    await assertStored(server, created, bytes);
  });
});

test("header names have no case and their order is free", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "text/plain", size: 3 });
  const answer = await exchange(
    t,
    server.port,
    `PUT ${targetOf(created)} HTTP/1.1\r\nCONTENT-LENGTH: 3\r\nX-Other: 1\r\ncontent-TYPE:   text/plain  \r\nhost: 127.0.0.1:${server.port}\r\n\r\nabc`,
  );
  assert.equal(answer.status, 200);
});

test("a chunked body is 411: a presigned PUT needs its length", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "image/png", size });
  const answer = await put(created, [bytes], { headers: { "Content-Length": undefined } });
  assertXmlError(answer, 411, "MissingContentLength");
  await assertPending(server, created);
});

test("the URL works for 15 minutes and then says that it has expired", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const early = await server.api.create({ contentType: "image/png", size });
  const late = await server.api.create({ contentType: "image/png", size });
  await server.advanceClock(14 * 60 + 30);
  assert.equal((await put(early, bytes)).status, 200);
  await server.advanceClock(31);
  assertXmlError(await put(late, bytes), 403, "AccessDenied", "Request has expired");
  assertXmlError(await put(early, bytes), 403, "AccessDenied", "Request has expired");
  // Only who has the genuine URL is told so.
  const forged = late.upload_url.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  assertXmlError(await put(late, bytes, { url: forged }), 403, "SignatureDoesNotMatch");
  await assertStored(server, early, bytes);
});

test("the expiry is judged when the head arrives, not when the body ends", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const created = await server.api.create({ contentType: "image/png", size });
  const connection = await connect(t, server.port);
  connection.send(
    `PUT ${targetOf(created)} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
      `Content-Type: image/png\r\nContent-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`,
  );
  assert.equal((await connection.answer()).status, 100);
  connection.send(bytes.subarray(0, size / 2));
  await server.advanceClock(16 * 60);
  connection.send(bytes.subarray(size / 2));
  const answer = await connection.answer();
  assert.equal(answer.status, 200, String(answer.body));
  await assertStored(server, created, bytes);
});

test(
  "a body that is cut short leaves nothing, and the upload can be tried again",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.create({ contentType: "image/png", size });
    const head =
      `PUT ${targetOf(created)} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
      `Content-Type: image/png\r\nContent-Length: ${size}\r\n\r\n`;

    for (const sent of [0, 1, size / 2, size - 1]) {
      const half = await connect(t, server.port);
      half.send(head);
      half.send(bytes.subarray(0, sent));
      half.socket.end(); // Half-closed: the answer can still come.
      const answer = await half.answer();
      assert.equal(answer.status, 400);
      assert.match(String(answer.body), /<Code>IncompleteBody<\/Code>/);

      const torn = await connect(t, server.port);
      torn.send(head);
      torn.send(bytes.subarray(0, sent));
      torn.socket.resetAndDestroy();
      await assertPending(server, created);
    }
    assert.equal((await put(created, bytes)).status, 200);
    await assertStored(server, created, bytes);
  },
);

test("a failed second upload keeps the first one's bytes", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.upload({ filename: "a.png", contentType: "image/png", bytes });
  const other = seededBytes(size, "other");
  const wrong = await put(created, other, {
    headers: { "content-md5": checksumHeaders(bytes)["content-md5"] },
  });
  assertXmlError(wrong, 400, "BadDigest");
  await assertStored(server, created, bytes);
});

test("bytes behind the announced length are never part of the file", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "text/plain", size: 3 });
  const connection = await connect(t, server.port);
  connection.send(
    `PUT ${targetOf(created)} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
      `Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nabcXYZ`,
  );
  assert.equal((await connection.answer()).status, 200);
  await assertStored(server, created, Buffer.from("abc"));
});

test("checksums are verified when sent, alone or together", limit, async (t) => {
  const server = await startDev(t);
  const right = checksumHeaders(bytes);
  const wrong = checksumHeaders(Buffer.concat([bytes, Buffer.from("x")]));
  for (const name of Object.keys(right)) {
    await t.test(name, async () => {
      const created = await server.api.create({ contentType: "image/png", size });
      const refused = await put(created, bytes, { headers: { [name]: wrong[name] } });
      assertXmlError(refused, 400, "BadDigest");
      await assertPending(server, created);
      for (const rubbish of ["", "AAAA", "not base64!", right[name].slice(0, -4)]) {
        const answer = await put(created, bytes, { headers: { [name]: rubbish } });
        assert.equal(answer.status, 400, `${JSON.stringify(rubbish)}: ${answer.status}`);
        assert.match(String(answer.body), /<Code>(InvalidDigest|InvalidRequest|BadDigest)<\/Code>/);
        await assertPending(server, created);
      }
      assert.equal((await put(created, bytes, { headers: { [name]: right[name] } })).status, 200);
      await assertStored(server, created, bytes);
    });
  }
  await t.test("all four", async () => {
    const created = await server.api.create({ contentType: "image/png", size });
    for (const name of Object.keys(right)) {
      const mixed = await put(created, bytes, { headers: { ...right, [name]: wrong[name] } });
      assertXmlError(mixed, 400, "BadDigest");
    }
    await assertPending(server, created);
    assert.equal((await put(created, bytes, { headers: right })).status, 200);
  });
});

test("a second PUT replaces the first, with another ETag", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "image/png", size });
  const tags = [];
  for (const seed of ["one", "two", "three"]) {
    const content = seededBytes(size, seed);
    const answer = await put(created, content);
    assert.equal(answer.status, 200);
    assertTraced(answer);
    assert.match(answer.headers.etag, /^"[^"]+"$/);
    tags.push(answer.headers.etag);
    const download = await request(created.download_url);
    assert.ok(download.body.equals(content));
    assert.equal(download.headers.etag, answer.headers.etag);
  }
  assert.equal(new Set(tags).size, 3);
});

test("once a message refers to it, a second PUT is refused", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.upload({ filename: "a.png", contentType: "image/png", bytes });
  const sent = await server.api.call("POST", "/v3/chats", {
    body: {
      from: "+15550100001",
      to: ["+15551234567"],
      message: { parts: [{ type: "media", attachment_id: created.attachment_id }] },
    },
  });
  assert.equal(sent.status, 201, String(sent.body));
  assertXmlError(await put(created, seededBytes(size, "other")), 403, "AccessDenied");
  assert.ok((await request(created.download_url)).body.equals(bytes));
});

test("concurrent PUTs of one attachment leave one of them, whole", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "image/png", size });
  const contents = Array.from({ length: 8 }, (_, index) => seededBytes(size, index));
  const answers = await Promise.all(contents.map((content) => put(created, content)));
  for (const answer of answers) assert.equal(answer.status, 200, String(answer.body));
  const download = await request(created.download_url);
  const winner = contents.findIndex((content) => content.equals(download.body));
  assert.ok(winner >= 0, "a mixture");
  assert.equal(download.headers.etag, answers[winner].headers.etag);
});

test(
  "a deleted attachment's URL is 404, also when the delete comes in between",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.upload({ filename: "a.png", contentType: "image/png", bytes });
    assert.equal((await server.api.delete(created.attachment_id)).status, 204);
    assertXmlError(await put(created, bytes), 404, "NoSuchKey");

    const second = await server.api.create({ contentType: "image/png", size });
    const connection = await connect(t, server.port);
    connection.send(
      `PUT ${targetOf(second)} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n` +
        `Content-Type: image/png\r\nContent-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`,
    );
    assert.equal((await connection.answer()).status, 100);
    connection.send(bytes.subarray(0, size / 2));
    assert.equal((await server.api.delete(second.attachment_id)).status, 204);
    connection.send(bytes.subarray(size / 2));
    const answer = await connection.answer();
    assert.equal(answer.status, 404, String(answer.body));
    assert.equal((await request(second.download_url)).status, 404);
  },
);

test("forbidden content is taken, marked failed and not served", limit, async (t) => {
  const server = await startDev(t);
  for (const [what, magic] of [
    ["ELF", "\x7fELF\x02\x01\x01"],
    ["PE", "MZ\x90\x00\x03"],
    ["Mach-O", "\xcf\xfa\xed\xfe\x07\x00\x00\x01"],
    ["a script", "#!/bin/sh\n"],
    ["FLAC", "fLaC\x00\x00\x00\x22"],
    ["OGG", "OggS\x00\x02"],
  ]) {
    const content = Buffer.concat([Buffer.from(magic, "latin1"), Buffer.alloc(2000)]);
    const created = await server.api.create({
      contentType: "application/zip",
      size: content.length,
    });
    const answer = await put(created, content);
    assert.equal(answer.status, 200, `${what}: ${answer.body}`);
    const found = jsonOf(await server.api.get(created.attachment_id));
    assert.equal(found.status, "failed", what);
    assert.equal("download_url" in found, false);
    assert.equal((await request(created.download_url)).status, 404);
  }
});

test("a URL presigned by the AWS SDK for the same attachment is accepted", limit, async (t) => {
  const server = await startDev(t);
  const plain = { requestChecksumCalculation: "WHEN_REQUIRED" };
  const created = await server.api.create({ contentType: "image/png", size });
  const url = await presign(server, created, { client: plain });
  assert.equal((await put(created, bytes, { url })).status, 200);
  await assertStored(server, created, bytes);

  await t.test("but not with another secret", async () => {
    const credentials = { accessKeyId: "satchel", secretAccessKey: "guessed" };
    const forged = await presign(server, created, { client: { ...plain, credentials } });
    assertXmlError(await put(created, bytes, { url: forged }), 403, "SignatureDoesNotMatch");
  });
  await t.test("nor with one character changed anywhere", async () => {
    const from = url.indexOf("?") + 1;
    for (let at = from; at < url.length; at += 1) {
      if (/[&=%]/.test(url[at])) continue;
      const changed = url.slice(0, at) + (url[at] === "1" ? "2" : "1") + url.slice(at + 1);
      const answer = await put(created, bytes, { url: changed });
      assert.ok([400, 403].includes(answer.status), `${at}: ${answer.status} ${changed}`);
    }
  });
  await t.test("nor when it leaves out the length or the type", async () => {
    for (const left of ["content-type", "content-length"]) {
      const loose = await presign(server, created, {
        client: plain,
        sign: { without: left, unsignableHeaders: new Set([left]) },
      });
      assert.doesNotMatch(loose, new RegExp(`X-Amz-SignedHeaders=[^&]*${left}`));
      assertXmlError(await put(created, bytes, { url: loose }), 403, "SignatureDoesNotMatch");
    }
  });
});

test(
  "a signed length other than the attachment's is refused, even with our own secret",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.create({ contentType: "image/png", size });
    const longer = Buffer.concat([bytes, Buffer.from("x")]);
    const url = await presign(server, created, {
      client: { requestChecksumCalculation: "WHEN_REQUIRED" },
      command: { ContentLength: longer.length },
    });
    const answer = await put(created, longer, {
      url,
      headers: { "Content-Length": String(longer.length) },
    });
    assert.ok(answer.status >= 400, String(answer.status));
    await assertPending(server, created);
  },
);

// The SDK puts the checksum of an empty body into the URLs it makes: judged, it would refuse all.
test("a URL presigned by the AWS SDK with its defaults is accepted", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "image/png", size });
  const url = await presign(server, created);
  assert.match(url, /x-amz-checksum-crc32=AAAAAA%3D%3D/);
  assert.equal((await put(created, bytes, { url })).status, 200);
  await assertStored(server, created, bytes);
});

test("a checksum header that the AWS SDK signed is verified", limit, async (t) => {
  const server = await startDev(t);
  const headers = ["x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"];
  const crc = checksumHeaders(bytes)["x-amz-checksum-crc32"];
  const created = await server.api.create({ contentType: "image/png", size });
  const url = await presign(server, created, {
    command: { ChecksumCRC32: crc, ChecksumAlgorithm: "CRC32" },
    sign: { headers, unhoistableHeaders: new Set(headers) },
  });
  assert.match(url, /X-Amz-SignedHeaders=[^&]*x-amz-checksum-crc32/);
  const sent = { "x-amz-checksum-crc32": crc, "x-amz-sdk-checksum-algorithm": "CRC32" };
  const other = seededBytes(size, "other");
  assertXmlError(await put(created, other, { url, headers: sent }), 400, "BadDigest");
  assertXmlError(await put(created, bytes, { url }), 403, "SignatureDoesNotMatch");
  assert.equal((await put(created, bytes, { url, headers: sent })).status, 200);
  await assertStored(server, created, bytes);
});

test(
  "the checksum headers that a current S3Client sends by default are accepted",
  limit,
  async (t) => {
    const server = await startDev(t);
    const created = await server.api.create({ contentType: "image/png", size });
    let sent;
    const s3 = new S3Client({
      endpoint: server.origin,
      region: "local",
      forcePathStyle: true,
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      requestHandler: {
        handle: async (outgoing) => {
          sent = outgoing.headers;
          throw new Error("only its headers are wanted");
        },
      },
      maxAttempts: 1,
    });
    const command = new PutObjectCommand({
      Bucket: "b",
      Key: "k",
      Body: bytes,
      ContentType: "image/png",
    });
    await assert.rejects(s3.send(command), /only its headers/);
    const checksums = Object.entries(sent).filter(([name]) => name.startsWith("x-amz-checksum-"));
    assert.deepEqual(
      checksums.map(([name]) => name),
      ["x-amz-checksum-crc32"],
    );
    const answer = await put(created, bytes, { headers: Object.fromEntries(checksums) });
    assert.equal(answer.status, 200, String(answer.body));
    await assertStored(server, created, bytes);
  },
);
