// Real files of many kinds and sizes come back byte for byte.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { request } from "./support/http_client.mjs";
import { jsonOf, put } from "./support/partner_api.mjs";
import { seededBytes, sha256 } from "./support/random.mjs";
import { samples } from "./support/samples.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 300_000 };
const MiB = 1024 * 1024;

test("files of 28 types come back byte for byte with their type and name", limit, async (t) => {
  const server = await startDev(t);
  const files = samples();
  assert.ok(new Set(files.map((file) => file.contentType)).size >= 28);
  for (const { filename, contentType, bytes } of files) {
    await t.test(contentType, async () => {
      const created = await server.api.upload({ filename, contentType, bytes });
      const found = jsonOf(await server.api.get(created.attachment_id));
      assert.equal(found.status, "complete");
      assert.equal(found.content_type, contentType);
      assert.equal(found.filename, filename);
      assert.equal(found.size_bytes, bytes.length);
      assert.ok(found.download_url.endsWith(`/${created.attachment_id}/${filename}`));
      const answer = await request(found.download_url);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], contentType);
      assert.equal(answer.headers["content-length"], String(bytes.length));
      assert.equal(sha256(answer.body), sha256(bytes));
    });
  }
});

// Frames are 64 KiB and batches a few frames: their borders are where things go wrong.
test("every size around a frame's border comes back byte for byte", limit, async (t) => {
  const server = await startDev(t);
  const borders = [1, 16, 4096, 65536, 2 * 65536, 4 * 65536, 8 * 65536, MiB];
  const sizes = borders
    .flatMap((border) => [border - 1, border, border + 1])
    .filter((size) => size > 0);
  for (const size of new Set(sizes)) {
    const bytes = seededBytes(size, size);
    const created = await server.api.upload({
      filename: "b.zip",
      contentType: "application/zip",
      bytes,
    });
    const answer = await request(created.download_url);
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(bytes), `size ${size}`);
  }
});

test("the largest file allowed, 100 MiB, comes back byte for byte", limit, async (t) => {
  const server = await startDev(t);
  const size = 100 * MiB;
  const pieces = function* pieces() {
    for (let at = 0; at < size; at += MiB) yield seededBytes(MiB, at);
  };
  const expected = createHash("sha256");
  for (const piece of pieces()) expected.update(piece);

  const created = await server.api.create({ filename: "film.mp4", contentType: "video/mp4", size });
  const stored = await put(created, pieces(), { deadlineMs: 200_000 });
  assert.equal(stored.status, 200, String(stored.body));
  const answer = await request(created.download_url, { deadlineMs: 200_000 });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.length, size);
  assert.equal(sha256(answer.body), expected.digest("hex"));
});

test("uploads and downloads at the same time do not mix", limit, async (t) => {
  const server = await startDev(t);
  await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const bytes = seededBytes(50_000 + index * 37_777, index);
      const created = await server.api.upload({
        filename: `${index}.png`,
        contentType: "image/png",
        bytes,
      });
      const [one, two] = await Promise.all([
        request(created.download_url),
        request(created.download_url),
      ]);
      assert.ok(one.body.equals(bytes) && two.body.equals(bytes), `file ${index}`);
    }),
  );
});
