// The life of an attachment as real clients live it: the official SDK, fetch and curl.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import LinqAPIV3 from "@linqapp/sdk";

import { request } from "./support/http_client.mjs";
import {
  PartnerApi,
  assertError,
  assertTraced,
  assertXmlError,
  jsonOf,
  put,
} from "./support/partner_api.mjs";
import { drawing, jpeg } from "./support/pictures.mjs";
import { run, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };

test("the official SDK uploads a photo, gets it back and deletes it for good", limit, async (t) => {
  const server = await startDev(t);
  const photo = jpeg(drawing(1600, 1200));

  for (const baseURL of [server.baseUrl, server.origin]) {
    const client = new LinqAPIV3({ apiKey: server.key, baseURL, maxRetries: 0 });
    const created = await client.attachments.create({
      filename: "photo.jpg",
      content_type: "image/jpeg",
      size_bytes: photo.length,
    });
    assert.equal(created.http_method, "PUT");

    const early = await fetch(created.download_url);
    assert.equal(early.status, 404);
    await early.arrayBuffer();

    const stored = await fetch(created.upload_url, {
      method: created.http_method,
      headers: created.required_headers,
      body: photo,
    });
    assert.equal(stored.status, 200, await stored.text());
    assert.match(stored.headers.get("etag"), /^"[^"]+"$/);

    const found = await client.attachments.retrieve(created.attachment_id);
    assert.equal(found.id, created.attachment_id);
    assert.equal(found.filename, "photo.jpg");
    assert.equal(found.content_type, "image/jpeg");
    assert.equal(found.size_bytes, photo.length);
    assert.equal(found.status, "complete");
    assert.equal(found.download_url, created.download_url);
    assert.ok(Math.abs(Date.parse(found.created_at) - Date.now()) < 60_000, found.created_at);

    const downloaded = await fetch(found.download_url);
    assert.equal(downloaded.status, 200);
    assert.equal(downloaded.headers.get("content-type"), "image/jpeg");
    assert.ok(Buffer.from(await downloaded.arrayBuffer()).equals(photo), "bytes differ");

    await client.attachments.delete(created.attachment_id);
    const gone = { status: 404 };
    await assert.rejects(client.attachments.retrieve(created.attachment_id), (error) => {
      assert.equal(error.status, 404);
      assert.equal(error.error.error.code, 2003);
      return true;
    });
    await assert.rejects(client.attachments.delete(created.attachment_id), gone);
    const after = await fetch(found.download_url);
    assert.equal(after.status, 404);
    await after.arrayBuffer();
  }
});

test(
  "the SDK takes its base URL and key from the environment file's variables",
  limit,
  async (t) => {
    const server = await startDev(t);
    const script = `
    import LinqAPIV3 from "@linqapp/sdk";
    const client = new LinqAPIV3();
    const created = await client.attachments.create(
      { filename: "a.txt", content_type: "text/plain", size_bytes: 3 });
    await fetch(created.upload_url,
      { method: "PUT", headers: created.required_headers, body: "abc" });
    console.log((await client.attachments.retrieve(created.attachment_id)).status);
  `;
    const result = await run(process.execPath, ["--input-type=module", "-e", script], {
      env: server.variables,
      cwd: new URL(".", import.meta.url),
    });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stdout.trim(), "complete");
  },
);

async function curl(args) {
  const result = await run("curl", ["--silent", "--show-error", "--max-time", "60", ...args], {
    binary: true,
  });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

test(
  "curl uploads, fetches and deletes, waiting for 100 Continue above 1 MiB",
  limit,
  async (t) => {
    const server = await startDev(t);
    const folder = temporaryFolder(t);
    const auth = ["-H", `Authorization: Bearer ${server.key}`];
    const file = join(folder, "film.mov");
    const back = join(folder, "back.mov");

    for (const size of [1, 1000, 3 * 1024 * 1024]) {
      const bytes = seededBytes(size);
      writeFileSync(file, bytes);
      const body = { filename: "film.mov", content_type: "video/quicktime", size_bytes: size };
      const created = JSON.parse(
        await curl([
          ...auth,
          "-H",
          "Content-Type: application/json",
          "-d",
          JSON.stringify(body),
          `${server.baseUrl}/v3/attachments`,
        ]),
      );
      const trace = join(folder, "trace");
      const status = await curl([
        "-X",
        "PUT",
        "-H",
        "Content-Type: video/quicktime",
        "-H",
        `Content-Length: ${size}`,
        "--data-binary",
        `@${file}`,
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--trace-ascii",
        trace,
        created.upload_url,
      ]);
      assert.equal(String(status), "200");
      if (size > 1024 * 1024) {
        const heads = readFileSync(trace, "latin1");
        assert.match(heads, /Expect: 100-continue/);
        assert.match(heads, /HTTP\/1\.1 100 Continue/);
      }
      await curl(["-f", "-o", back, created.download_url]);
      assert.ok(readFileSync(back).equals(bytes), "bytes differ");

      const url = `${server.baseUrl}/v3/attachments/${created.attachment_id}`;
      const deleted = await curl(["-X", "DELETE", ...auth, "-w", "%{http_code}", url]);
      assert.equal(String(deleted), "204");
      const after = await curl([...auth, "-o", "/dev/null", "-w", "%{http_code}", url]);
      assert.equal(String(after), "404");
    }
  },
);

test(
  "curl -T, which waits for 100 Continue, is refused without sending a refused body",
  limit,
  async (t) => {
    const server = await startDev(t);
    const file = join(temporaryFolder(t), "big");
    const bytes = seededBytes(2 * 1024 * 1024);
    writeFileSync(file, bytes);
    const created = await server.api.create({ size: bytes.length });
    const out = await curl([
      "-T",
      file,
      "-H",
      "Content-Type: image/png",
      "-H",
      "Expect: 100-continue",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code} %{size_upload}",
      created.upload_url,
    ]);
    assert.equal(String(out), "403 0");
  },
);

// Section 10.x of the contract, without the steps that need messages.
for (const prefix of ["/api/partner", ""]) {
  test(`the conformance walk holds under ${prefix}/v3`, limit, async (t) => {
    const server = await startDev(t);
    const api = new PartnerApi(server.origin + prefix, server.key);
    const anonymous = new PartnerApi(server.origin + prefix, undefined);
    const bytes = seededBytes(5000);

    assertError(await anonymous.post({}), 401, 2004);
    const created = await api.create({
      filename: "n.pdf",
      contentType: "application/pdf",
      size: 5000,
    });

    const pending = await api.get(created.attachment_id);
    assert.equal(pending.status, 200);
    assertTraced(pending);
    const members = ["content_type", "created_at", "filename", "id", "size_bytes", "status"];
    assert.deepEqual(Object.keys(jsonOf(pending)).sort(), members);
    assert.equal(jsonOf(pending).status, "pending");

    const wrongType = await put(created, bytes, { headers: { "Content-Type": "text/plain" } });
    assertXmlError(wrongType, 403, "SignatureDoesNotMatch");
    const short = await put(created, bytes.subarray(1), { headers: { "Content-Length": "4999" } });
    assertXmlError(short, 403, "SignatureDoesNotMatch");
    const right = await put(created, bytes);
    assert.equal(right.status, 200);
    assert.equal(right.body.length, 0);
    assertTraced(right);

    const complete = jsonOf(await api.get(created.attachment_id));
    assert.equal(complete.status, "complete");
    assert.equal(complete.download_url, created.download_url);
    const download = await request(complete.download_url);
    assert.equal(download.status, 200);
    assert.equal(download.headers["content-type"], "application/pdf");
    assert.ok(download.body.equals(bytes));

    const deleted = await api.delete(created.attachment_id);
    assert.equal(deleted.status, 204);
    assert.equal(deleted.body.length, 0);
    assertTraced(deleted);
    assertError(await api.get(created.attachment_id), 404, 2003);
    assertXmlError(await request(created.download_url), 404, "NoSuchKey");
    assertError(await api.delete(created.attachment_id), 404, 2003);
    assertError(await api.delete("not-a-uuid"), 400, 1005);
  });
}

test("an attachment made under one prefix is the same under the other", limit, async (t) => {
  const server = await startDev(t);
  const { attachment_id: id } = await server.api.create({ size: 3 });
  const other = new PartnerApi(server.origin, server.key);
  const [one, two] = [jsonOf(await server.api.get(id)), jsonOf(await other.get(id))];
  assert.deepEqual(one, two);
});

test("two equal requests make two attachments", limit, async (t) => {
  const server = await startDev(t);
  const one = await server.api.create({ size: 3 });
  const two = await server.api.create({ size: 3 });
  assert.notEqual(one.attachment_id, two.attachment_id);
});

test("a pending attachment can be deleted, and its upload URL dies with it", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ size: 3 });
  assert.equal((await server.api.delete(created.attachment_id)).status, 204);
  assertXmlError(await put(created, Buffer.from("abc")), 404, "NoSuchKey");
});

test(
  "an upload whose window is over has failed, and its row is gone a day later",
  limit,
  async (t) => {
    const server = await startDev(t, { args: ["--test-clock"] });
    const created = await server.api.create({ size: 3 });
    await server.advanceClock(14 * 60);
    assert.equal(jsonOf(await server.api.get(created.attachment_id)).status, "pending");
    await server.advanceClock(61);
    const failed = jsonOf(await server.api.get(created.attachment_id));
    assert.equal(failed.status, "failed");
    assert.equal("download_url" in failed, false);
    await server.advanceClock(25 * 3600);
    assertError(await server.api.get(created.attachment_id), 404, 2003);
  },
);

test("what was stored outlives a restart, and the demo key stays the same", limit, async (t) => {
  const first = await startDev(t);
  const bytes = seededBytes(300_000);
  const created = await first.api.upload({ filename: "a.png", contentType: "image/png", bytes });
  const pending = await first.api.create({ size: 3 });
  await first.stop();

  const second = await startDev(t, { data: first.folder });
  assert.equal(second.key, first.key);
  assert.equal(second.partnerId, first.partnerId);
  const found = jsonOf(await second.api.get(created.attachment_id));
  assert.equal(found.status, "complete");
  assert.equal(found.filename, "a.png");
  assert.ok((await request(found.download_url)).body.equals(bytes));
  assert.equal(jsonOf(await second.api.get(pending.attachment_id)).status, "pending");
});
