// What lies on the disk: nothing in clear, nothing of what was deleted, nothing changed unseen.

import assert from "node:assert/strict";
import { copyFileSync, cpSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { filesIn, findInFiles, modeOf, query, storedBlobs } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { put } from "./support/partner_api.mjs";
import { satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 180_000 };
const marker = "PLAINTEXT-MARKER-7d1f";
const markedName = "Secret-Name-c0ffee.txt";

function marked(size) {
  return Buffer.concat([Buffer.from(marker.repeat(1000)), seededBytes(size), Buffer.from(marker)]);
}

function allForms(text) {
  return [
    Buffer.from(text),
    Buffer.from(text, "utf16le"),
    Buffer.from(Buffer.from(text).toString("hex")),
    Buffer.from(Buffer.from(text).toString("base64").replace(/=+$/, "").slice(0, -1)),
  ];
}

test("bytes, names and keys stand nowhere in clear", limit, async (t) => {
  const server = await startDev(t);
  const added = await satchelJson(["partner", "add", "second", "--data", server.folder]);
  for (const size of [10, 200_000]) {
    await server.api.upload({
      filename: markedName,
      contentType: "text/plain",
      bytes: marked(size),
    });
  }
  await server.api.create({ filename: markedName, size: 5 });
  const needles = [
    ...allForms(marker),
    ...allForms(markedName),
    Buffer.from(encodeURIComponent(markedName)),
    Buffer.from(server.key),
    Buffer.from(added.api_key),
    Buffer.from(server.key).subarray(4), // Without its prefix.
    Buffer.from(added.api_key).subarray(4),
  ];
  assert.deepEqual(findInFiles(server.folder, needles), []);
  await server.stop();
  assert.deepEqual(findInFiles(server.folder, needles), []);
});

test("what people write stands nowhere in clear, on its way to webhooks neither", limit, async (t) => {
  const server = await startDev(t);
  await server.api.upload({ filename: markedName, contentType: "text/plain", bytes: marked(10) });
  const subscription = await server.api.call("POST", "/v3/webhook-subscriptions", {
    body: { target_url: "http://127.0.0.1:9/dead", subscribed_events: ["message.sent"] },
  });
  assert.equal(subscription.status, 201, String(subscription.body));
  const sent = await server.api.call("POST", "/v3/chats", {
    body: {
      from: "+15550100001",
      to: ["+15551234567"],
      message: { parts: [{ type: "text", value: `${marker} at noon` }] },
    },
  });
  assert.equal(sent.status, 201, String(sent.body));
  const waiting = () => query(server.folder, "SELECT count(*) AS n FROM webhook_outbox");
  await until(async () => (await waiting())[0].n === 1, { what: "an event that waits" });
  assert.deepEqual(findInFiles(server.folder, [Buffer.from(marker)]), []);
});

test("logs hold no secret, key, signature or file name", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_LOG__LEVEL: "debug" } });
  const created = await server.api.upload({
    filename: markedName,
    contentType: "text/plain",
    bytes: marked(10),
  });
  await put(created, marked(10), { headers: { "Content-Type": "image/png" } });
  await put(created, marked(10), { url: created.upload_url.replace(/.$/, "x") });
  await request(created.download_url);
  await server.api.get(created.attachment_id, {
    headers: { authorization: "Bearer wrong-secret-token" },
  });
  await server.api.delete(created.attachment_id);
  // The banner on standard output may show the key once, for pasting: it is not the log.
  const lines = server.output.split("\n").filter((line) => line.startsWith("{"));
  assert.ok(lines.length > 0, "JSON log lines");
  for (const line of lines) JSON.parse(line);
  const signature = new URL(created.upload_url).searchParams.get("X-Amz-Signature");
  for (const secret of [
    server.key,
    server.adminToken,
    signature,
    markedName,
    marker,
    "wrong-secret-token",
  ]) {
    assert.ok(!lines.some((line) => line.includes(secret)), `log with ${secret}`);
  }
});

test("key, database and admin file are for their owner alone", limit, async (t) => {
  const server = await startDev(t);
  assert.equal(modeOf(server.folder), 0o700);
  assert.equal(modeOf(join(server.folder, "master.key")), 0o600);
  assert.equal(modeOf(join(server.folder, "admin.json")), 0o600);
  assert.equal(modeOf(server.environmentFile) & 0o077, 0, "it holds the API key");
});

test("every attachment has a key of its own: equal files are stored unlike", limit, async (t) => {
  const server = await startDev(t);
  const bytes = seededBytes(100_000);
  const file = { filename: "same.png", contentType: "image/png", bytes };
  await server.api.upload(file);
  await server.api.upload(file);
  const [one, two] = storedBlobs(server.folder).stored.map((path) =>
    readFileSync(join(server.folder, "blobs", path)),
  );
  assert.equal(one.length, two.length);
  const step = 64;
  const parts = new Set();
  for (let at = 256; at + step <= one.length; at += step)
    parts.add(one.toString("latin1", at, at + step));
  for (let at = 256; at + step <= two.length; at += step) {
    assert.ok(!parts.has(two.toString("latin1", at, at + step)), `equal bytes at ${at}`);
  }
});

// A download that may be cut before its head is out: status 0.
async function download(url) {
  try {
    return await request(url);
  } catch (error) {
    assert.ok(["ECONNRESET", "EPIPE"].includes(error.code), error.message);
    return { status: 0, cut: true, body: Buffer.alloc(0) };
  }
}

async function secretsOf(server, id) {
  const [row] = await query(
    server.folder,
    `SELECT hex(sealed_key) AS sealed_key, hex(sealed_name) AS sealed_name, hex(blob) AS blob
     FROM attachment_rows WHERE hex(id) = '${id.replaceAll("-", "").toUpperCase()}'`,
  );
  assert.ok(row.sealed_key.length >= 64 && row.sealed_name !== "");
  return {
    key: Buffer.from(row.sealed_key, "hex"),
    name: Buffer.from(row.sealed_name, "hex"),
    blob: row.blob,
  };
}

test(
  "after DELETE the bytes, the wrapped key and the name are gone from the folder",
  limit,
  async (t) => {
    const server = await startDev(t);
    const others = [];
    for (let index = 0; index < 5; index += 1) {
      others.push(
        await server.api.upload({
          filename: `${index}.txt`,
          contentType: "text/plain",
          bytes: marked(10),
        }),
      );
    }
    const created = await server.api.upload({
      filename: markedName,
      contentType: "text/plain",
      bytes: marked(100_000),
    });
    const before = storedBlobs(server.folder).stored;
    const secrets = await secretsOf(server, created.attachment_id);
    assert.notDeepEqual(
      findInFiles(server.folder, [secrets.key]),
      [],
      "the search finds what is there",
    );

    assert.equal((await server.api.delete(created.attachment_id)).status, 204);
    const after = storedBlobs(server.folder);
    assert.equal(after.stored.length, before.length - 1);
    assert.deepEqual(after.incoming, []);
    const blobName = secrets.blob.toLowerCase();
    assert.ok(!after.stored.some((path) => path.replaceAll("-", "").endsWith(blobName)));
    assert.deepEqual(findInFiles(server.folder, [secrets.key, secrets.name]), []);
    for (const other of others) assert.equal((await request(other.download_url)).status, 200);

    const audit = await query(
      server.folder,
      "SELECT at, hex(partner) AS partner, hex(attachment) AS attachment, cause, actor FROM deletion_audit",
    );
    assert.equal(audit.length, 1);
    const id = (text) => text.replaceAll("-", "").toUpperCase();
    assert.equal(audit[0].attachment, id(created.attachment_id));
    assert.equal(audit[0].partner, id(server.partnerId));
    assert.match(audit[0].actor, /^key:[0-9a-f-]{36}$/);
    assert.ok(Math.abs(audit[0].at / 1000 - Date.now()) < 120_000);
  },
);

// Trees split and merge as rows come and go: no copy of a key may stay behind on the way.
test("keys of many deleted attachments are gone, also while others come", limit, async (t) => {
  const server = await startDev(t);
  const alive = new Map();
  const dead = [];
  for (let round = 0; round < 6; round += 1) {
    const made = await Promise.all(
      Array.from({ length: 60 }, () =>
        server.api.create({ filename: "n".repeat(1 + round * 40), size: 5 }),
      ),
    );
    for (const { attachment_id: id } of made) alive.set(id, undefined);
    const rows = await query(
      server.folder,
      "SELECT lower(hex(id)) AS id, hex(sealed_key) AS sealed_key FROM attachment_rows",
    );
    for (const { id, sealed_key: key } of rows) {
      const dashed = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
      alive.set(dashed, Buffer.from(key, "hex"));
    }
    const victims = [...alive.keys()].filter((_, index) => index % 2 === round % 2);
    await Promise.all(
      victims.map(async (id) => {
        assert.equal((await server.api.delete(id)).status, 204);
        dead.push(alive.get(id));
        alive.delete(id);
      }),
    );
  }
  assert.ok(dead.length > 150);
  assert.deepEqual(
    findInFiles(server.folder, dead).map(([path]) => path),
    [],
  );
  await server.stop();
  assert.deepEqual(
    findInFiles(server.folder, dead).map(([path]) => path),
    [],
  );
});

test("a second upload leaves nothing of the first", limit, async (t) => {
  const server = await startDev(t);
  const created = await server.api.create({ contentType: "image/png", size: 100_000 });
  for (const seed of ["one", "two", "three"]) {
    assert.equal((await put(created, seededBytes(100_000, seed))).status, 200);
    const { stored, incoming } = storedBlobs(server.folder);
    assert.equal(stored.length, 1);
    assert.deepEqual(incoming, []);
  }
});

test("without the master key, or with another one, the folder does not open", limit, async (t) => {
  const server = await startDev(t);
  await server.api.upload({ filename: "a.png", contentType: "image/png", bytes: seededBytes(10) });
  await server.stop();
  const other = await startDev(t);
  await other.stop();

  const start = (folder) =>
    satchel(["dev", "--port", "0", "--data", folder], { deadlineMs: 30_000 });
  const lost = join(temporaryFolder(t), "data");
  cpSync(server.folder, lost, { recursive: true, filter: (path) => !path.endsWith("master.key") });
  const refused = await start(lost);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /master/);
  assert.ok(!readdirSync(lost).includes("master.key"), "no new key is made for old data");

  const open = join(temporaryFolder(t), "data");
  cpSync(server.folder, open, { recursive: true });
  const fsck = async () => satchel(["fsck", "--data", open]);
  assert.equal((await fsck()).code, 0);
  copyFileSync(join(other.folder, "master.key"), join(open, "master.key"));
  assert.equal((await fsck()).code, 1);
});

test(
  "a flipped bit anywhere in a stored file breaks the download and fails fsck",
  limit,
  async (t) => {
    const server = await startDev(t);
    const size = 200_000;
    const bytes = seededBytes(size);
    const created = await server.api.upload({ filename: "a.png", contentType: "image/png", bytes });
    const [path] = storedBlobs(server.folder).stored;
    const file = join(server.folder, "blobs", path);
    const good = readFileSync(file);
    assert.ok(good.length > size);

    const places = [
      0,
      1,
      7,
      20,
      100,
      65_536,
      65_700,
      131_200,
      Math.floor(good.length / 2),
      good.length - 20,
      good.length - 1,
    ];
    for (const at of places) {
      await t.test(`at byte ${at}`, async () => {
        const bad = Buffer.from(good);
        bad[at] ^= 1 << at % 8;
        writeFileSync(file, bad);
        const answer = await download(created.download_url);
        const whole = answer.status === 200 && !answer.cut && answer.body.length === size;
        assert.ok(!whole, "the download looked whole");
        if (answer.status === 200) {
          assert.ok(
            bytes.subarray(0, answer.body.length).equals(answer.body),
            "wrong bytes were sent",
          );
        } else {
          assert.ok(answer.status === 500 || answer.cut, `${answer.status}`);
        }
        const fsck = await satchel(["fsck", "--data", server.folder, "--json"]);
        assert.equal(fsck.code, 1, fsck.stderr);
        assert.match(
          fsck.stdout,
          new RegExp(
            `corrupt_bytes[^]*${created.attachment_id}|${created.attachment_id}[^]*corrupt_bytes`,
          ),
        );
      });
    }
    for (const [what, bad] of [
      ["cut off", good.subarray(0, good.length - 1)],
      ["cut at a frame", good.subarray(0, 65_552)],
      ["longer", Buffer.concat([good, Buffer.from([0])])],
      ["empty", Buffer.alloc(0)],
    ]) {
      await t.test(what, async () => {
        writeFileSync(file, bad);
        const answer = await download(created.download_url);
        assert.ok(answer.status === 500 || answer.cut, `${answer.status}`);
        assert.equal((await satchel(["fsck", "--data", server.folder])).code, 1);
      });
    }
    await t.test("a range that does not touch the damage is still right", async () => {
      const bad = Buffer.from(good);
      bad[good.length - 1] ^= 1;
      writeFileSync(file, bad);
      const range = await request(created.download_url, { headers: { range: "bytes=0-999" } });
      assert.equal(range.status, 206);
      assert.ok(range.body.equals(bytes.subarray(0, 1000)));
    });
    await t.test("put right, it is whole again", async () => {
      writeFileSync(file, good);
      assert.ok((await request(created.download_url)).body.equals(bytes));
      assert.equal((await satchel(["fsck", "--data", server.folder])).code, 0);
    });
  },
);

test("one attachment's stored bytes do not pass for another's", limit, async (t) => {
  const server = await startDev(t);
  const created = [];
  for (const seed of ["one", "two"]) {
    created.push(
      await server.api.upload({
        filename: "a.png",
        contentType: "image/png",
        bytes: seededBytes(70_000, seed),
      }),
    );
  }
  const [one, two] = storedBlobs(server.folder).stored.map((path) =>
    join(server.folder, "blobs", path),
  );
  const [first, second] = [readFileSync(one), readFileSync(two)];
  writeFileSync(one, second);
  writeFileSync(two, first);
  for (const { download_url: url } of created) {
    const answer = await download(url);
    assert.ok(answer.status === 500 || answer.cut, `${answer.status}`);
    assert.equal(answer.status === 200 ? answer.body.length : 0, 0, "wrong bytes were sent");
  }
  assert.equal((await satchel(["fsck", "--data", server.folder])).code, 1);
});

test("fsck finds missing bytes and strays, and --repair removes strays only", limit, async (t) => {
  const server = await startDev(t);
  const kept = await server.api.upload({
    filename: "a.png",
    contentType: "image/png",
    bytes: seededBytes(10),
  });
  await server.stop();
  const blobs = join(server.folder, "blobs");
  const [path] = storedBlobs(server.folder).stored;
  const stray = path.replace(/[^/]+$/, (name) =>
    name.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
  );
  copyFileSync(join(blobs, path), join(blobs, stray));

  const found = await satchel(["fsck", "--data", server.folder, "--json"]);
  assert.equal(found.code, 1);
  assert.match(found.stdout, /stray_blob/);
  await satchel(["fsck", "--repair", "--data", server.folder]);
  assert.deepEqual(storedBlobs(server.folder).stored, [path]);
  assert.equal((await satchel(["fsck", "--data", server.folder])).code, 0);

  const again = await startDev(t, { data: server.folder });
  const url = new URL(kept.download_url);
  assert.equal((await request(again.origin + url.pathname)).status, 200);
  assert.deepEqual(filesIn(join(blobs, "incoming")), []);
});
