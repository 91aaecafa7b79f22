// The master key: rotated under load and through kill -9, lost, wrong, from a command.

import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { modeOf } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { keyLines, writeKeyLines } from "./support/master_key.mjs";
import { jsonOf, put } from "./support/partner_api.mjs";
import { satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver, assertSigned } from "./support/webhook_receiver.mjs";

const limit = { timeout: 300_000 };
const png = "image/png";
const keyFile = (server) => join(server.folder, "master.key");
const at = (server) => ["--data", server.folder];
const keys = (server) => satchelJson(["keys", "list", ...at(server)]);

async function storeSome(server, count, size = 1000) {
  const stored = [];
  for (let seed = 0; seed < count; seed += 1) {
    const bytes = seededBytes(size + seed, seed);
    const made = await server.api.upload({ filename: `${seed}.png`, contentType: png, bytes });
    stored.push({ ...made, bytes });
  }
  return stored;
}

async function assertReadable(server, stored) {
  for (const { attachment_id: id, download_url: url, bytes } of stored) {
    assert.equal((await server.api.get(id)).status, 200);
    const download = await request(server.origin + new URL(url).pathname);
    assert.equal(download.status, 200);
    assert.ok(download.body.equals(bytes), `${id} is not what was uploaded`);
  }
}

async function assertWhole(server, clean = 0) {
  const fsck = await satchel(["fsck", ...at(server)], { deadlineMs: 120_000 });
  assert.equal(fsck.code, clean, fsck.stdout + fsck.stderr);
}

// One line on standard error, and what it must say.
function assertRefused(result, ...patterns) {
  assert.equal(result.code, 1, result.stdout + result.stderr);
  assert.equal(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
  for (const pattern of patterns) assert.match(result.stderr, pattern);
}

const start = (folder, options) =>
  satchel(["dev", "--port", "0", "--data", folder], { deadlineMs: 60_000, ...options });

test("rotate, list, retire: what was stored, begun and handed out goes on", limit, async (t) => {
  const server = await startDev(t);
  const stored = await storeSome(server, 5);
  const begun = await server.api.create({ contentType: png, size: 2000 });
  const before = keyLines(keyFile(server));
  const head = await satchelJson(["audit", "head", ...at(server)]);

  const rotated = await satchelJson(["keys", "rotate", ...at(server)]);
  assert.deepEqual(rotated, { version: 2, running: false, remaining: 0, rewrapped: 6, damaged: 0 });
  assert.equal(modeOf(keyFile(server)), 0o600);
  const lines = keyLines(keyFile(server));
  assert.deepEqual(lines.map(({ version }) => version), [1, 2]);
  assert.equal(lines[0].line, before[0].line);

  const uploaded = seededBytes(2000, 77);
  assert.equal((await put(begun, uploaded)).status, 200, "an URL of before the rotation");
  stored.push({ ...begun, bytes: uploaded }, ...(await storeSome(server, 2)));
  await assertReadable(server, stored);
  const [first, second] = await keys(server);
  assert.equal(first.in_use, false);
  assert.equal(first.attachments, 0);
  assert.notEqual(first.emptied_at, null);
  assert.equal(second.in_use, true);
  assert.equal(second.attachments, stored.length);

  const refused = await satchel(["keys", "retire", "2", ...at(server)]);
  assertRefused(refused, /version 2 is in use/);
  const retired = await satchelJson(["keys", "retire", "1", ...at(server)]);
  assert.deepEqual(retired, { version: 1, removed_from_file: true });
  assert.deepEqual(keyLines(keyFile(server)).map(({ version }) => version), [2]);
  assert.equal(modeOf(keyFile(server)), 0o600);
  assert.ok(readdirSync(server.folder).every((name) => !name.includes(".new-")));

  assert.equal((await satchelJson(["audit", "head", ...at(server)])).key, head.key);
  const { key } = server;
  await server.stop();
  const again = await startDev(t, { data: server.folder });
  assert.equal(again.key, key, "the demo partner's API key");
  await assertReadable(again, stored);
  await assertWhole(again);
});

test("people see what happened", limit, async (t) => {
  const server = await startDev(t);
  await storeSome(server, 1);
  const rotated = await satchel(["keys", "rotate", ...at(server)]);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(rotated.stdout, /^version 2 of the master key is in use\nre-wrapped the keys of 1 /);
  const listed = await satchel(["keys", "list", ...at(server)]);
  assert.match(listed.stdout, /^VERSION +STATUS +ATTACHMENTS/);
  assert.match(listed.stdout, /^1 +not needed +0 /m);
  assert.match(listed.stdout, /^2 +in use +1 /m);
  const background = await satchel(["keys", "rotate", "--background", ...at(server)]);
  assert.match(background.stdout, /satchel keys list/);
  const page = await request(`${server.adminUrl}/metrics`);
  assert.match(String(page.body), /^satchel_master_key_version 3$/m);
  assert.match(String(page.body), /^satchel_keys_to_rewrap /m);
  for (const version of ["0", "x", "9"]) {
    assertRefused(await satchel(["keys", "retire", version, ...at(server)]), /satchel keys list/);
  }
});

test("two rotations in a row, under load, with kill -9 in between", limit, async (t) => {
  let server = await startDev(t);
  const { folder } = server;
  const stored = await storeSome(server, 20);
  // Enough rows that a rotation is not over at once.
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 250; i += 1) await server.api.create({ contentType: png, size: 10 });
    }),
  );
  for (let round = 0; round < 3; round += 1) {
    const load = { stopped: false, made: [] };
    const worker = async (number) => {
      for (let i = 0; !load.stopped; i += 1) {
        const seed = round * 100_000 + number * 10_000 + i;
        const bytes = seededBytes(5000, seed);
        const uploaded = await server.api
          .upload({ filename: "l.png", contentType: png, bytes })
          .catch((error) => {
            if (server.running && !load.stopped) throw error;
          });
        if (uploaded) load.made.push({ ...uploaded, bytes });
      }
    };
    const workers = [1, 2, 3].map(worker);
    await until(() => load.made.length >= 3, { what: "uploads" });
    for (let i = 0; i < 2; i += 1) {
      const answer = await server.admin("POST", "/admin/v1/master-keys/rotate", {});
      assert.equal(answer.status, 200, String(answer.body));
    }
    load.stopped = true;
    await server.kill9();
    await Promise.all(workers);
    stored.push(...load.made);
    server = await startDev(t, { data: folder });
    await assertReadable(server, stored);
  }
  // The start went on by itself.
  await until(
    async () => {
      const all = await keys(server);
      return all.slice(0, -1).every(({ emptied_at: time }) => time !== null);
    },
    { what: "the end of re-wrapping", deadlineMs: 60_000 },
  );
  const all = await keys(server);
  assert.equal(all.at(-1).version, 7);
  assert.ok(all.at(-1).attachments >= 2000 + stored.length);
  assert.ok(all.slice(0, -1).every(({ attachments }) => attachments === 0));
  for (const { version } of all.slice(0, -1)) {
    await satchelJson(["keys", "retire", String(version), ...at(server)]);
  }
  await server.stop();
  server = await startDev(t, { data: folder });
  await assertReadable(server, stored);
  await assertWhole(server);
});

test("webhooks are signed with the same secret after a rotation", limit, async (t) => {
  const receiver = await WebhookReceiver.start(t);
  let server = await startDev(t);
  const made = jsonOf(
    await server.api.call("POST", "/v3/webhook-subscriptions", {
      body: { target_url: `${receiver.origin}/hook`, subscribed_events: ["message.sent"] },
    }),
  );
  const send = async () => {
    const answer = await server.api.call("POST", "/v3/chats", {
      body: {
        from: server.variables.LINQ_FROM_PHONE,
        to: ["+15551230001"],
        message: { parts: [{ type: "text", value: "hello" }] },
      },
    });
    assert.ok(answer.status < 300, String(answer.body));
  };
  await send();
  await satchelJson(["keys", "rotate", ...at(server)]);
  await satchelJson(["keys", "retire", "1", ...at(server)]);
  await server.stop();
  server = await startDev(t, { data: server.folder });
  await send();
  const deliveries = await receiver.received("message.sent", 2);
  for (const delivery of deliveries) assertSigned(delivery, made.signing_secret, made.id);
});

test("a lost or wrong key stops the start, says which and what to do", limit, async (t) => {
  const server = await startDev(t);
  const stored = await storeSome(server, 2);
  await satchelJson(["keys", "rotate", ...at(server)]);
  await server.stop();
  const { folder } = server;
  const file = join(folder, "master.key");
  const good = readFileSync(file);
  const lines = keyLines(file).map(({ line }) => line);
  const database = readFileSync(join(folder, "satchel.db"));

  writeKeyLines(file, [lines[0]]);
  for (const args of [["fsck"], ["audit", "verify"]]) {
    assertRefused(await satchel([...args, "--data", folder]), /version 2/, /your copy/);
  }
  assertRefused(await start(folder), /version 2 of the master key/, /master\.key/, /your copy/);

  const other = await satchelJson(["keys", "generate", "2"]);
  assert.equal(other.version, 2);
  writeKeyLines(file, [lines[0], other.line]);
  assertRefused(await start(folder), /another master key than version 2/, /master\.key/);

  writeKeyLines(file, [lines[1], lines[0]]);
  assertRefused(await start(folder), /ascend/);
  writeFileSync(file, "hello\n");
  assertRefused(await start(folder), /master\.key/);
  writeFileSync(file, good);
  chmodSync(file, 0o644);
  assertRefused(await start(folder), /chmod 600/);
  chmodSync(file, 0o600);
  assert.ok(readFileSync(join(folder, "satchel.db")).equals(database), "nothing was written");

  const again = await startDev(t, { data: folder });
  await assertReadable(again, stored);
});

test("a key file that cannot be replaced is left alone, and so is the database", limit, async (t) => {
  const server = await startDev(t);
  await storeSome(server, 1);
  const before = readFileSync(keyFile(server));
  const saved = join(server.folder, "saved");
  copyFileSync(keyFile(server), saved);
  chmodSync(keyFile(server), 0o644);
  const open = await satchel(["keys", "rotate", ...at(server)]);
  assertRefused(open, /chmod 600/);
  chmodSync(keyFile(server), 0o600);
  writeFileSync(keyFile(server), "damaged\n");
  assertRefused(await satchel(["keys", "rotate", ...at(server)]), /restore it from your copy/);
  copyFileSync(saved, keyFile(server));
  assert.ok(readFileSync(keyFile(server)).equals(before));
  const all = await keys(server);
  assert.deepEqual(all.map(({ version }) => version), [1]);
  assert.equal((await satchelJson(["keys", "rotate", ...at(server)])).version, 2);
});

test("the key from a command: start, rotation, retirement", limit, async (t) => {
  const vault = join(temporaryFolder(t), "vault");
  const generate = async (version) => (await satchelJson(["keys", "generate", version])).line;
  const first = await generate("1");
  writeKeyLines(vault, [first]);
  const env = { SATCHEL_ENCRYPTION__MASTER_KEY_COMMAND: `cat ${vault}` };
  let server = await startDev(t, { env });
  const { folder } = server;
  assert.ok(!readdirSync(folder).includes("master.key"));
  const stored = await storeSome(server, 3);

  const none = await satchel(["keys", "rotate", ...at(server)]);
  assertRefused(none, /no version after 1/, /satchel keys generate 2/);
  const second = await generate("2");
  writeKeyLines(vault, [first, second]);
  assert.equal((await satchelJson(["keys", "rotate", ...at(server)])).version, 2);
  const retired = await satchelJson(["keys", "retire", "1", ...at(server)]);
  assert.equal(retired.removed_from_file, false);
  writeKeyLines(vault, [second]);
  await server.stop();
  server = await startDev(t, { data: folder, env });
  await assertReadable(server, stored);

  // A version that a start finds comes into use, too.
  await server.stop();
  writeKeyLines(vault, [second, await generate("5")]);
  server = await startDev(t, { data: folder, env });
  await until(async () => (await keys(server))[1].emptied_at !== null, { what: "re-wrapping" });
  assert.equal((await keys(server)).at(-1).version, 5);
  await assertReadable(server, stored);
});

test("a command that fails, prints garbage or too much is a clear error", limit, async (t) => {
  const data = join(temporaryFolder(t), "data");
  const line = (await satchelJson(["keys", "generate"])).line;
  const tries = [
    ["echo 'no route to vault' >&2; exit 7", [/status 7/, /no route to vault/]],
    ["echo hello", [/no master key/]],
    ["true", [/no key/]],
    ["yes", [/more than 4096 bytes/]],
    [`echo '${line}'; exit 1`, [/status 1/]],
  ];
  for (const [command, patterns] of tries) {
    const env = { SATCHEL_ENCRYPTION__MASTER_KEY_COMMAND: command };
    assertRefused(await start(data, { env }), /encryption\.master_key_command/, ...patterns);
  }
  assert.ok(!readdirSync(data).includes("satchel.db"), "nothing was made");
});

test("serve: a list is run without a shell; file and command exclude each other", limit, async (t) => {
  const folder = temporaryFolder(t);
  const vault = join(folder, "vault key; echo");
  writeKeyLines(vault, [(await satchelJson(["keys", "generate"])).line]);
  const file = join(folder, "satchel.toml");
  const check = async (...encryption) => {
    const lines = [
      '[server]\nlisten = "127.0.0.1:0"\n[metadata]\nsqlite = "data/satchel.db"',
      '[blobs]\nlocal = "data/blobs"\n[encryption]',
      ...encryption,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    return satchel(["serve", "--check", "--config", file]);
  };
  const list = `master_key_command = ["cat", ${JSON.stringify(vault)}]`;
  assert.equal((await check(list)).code, 0);
  assertRefused(await check(list, 'master_key_file = "master.key"'), /not both/, /:8: /);
  assertRefused(await check('master_key_command = ["cat", 7]'), /list of a program/);
  assertRefused(await check("master_key_command = []"), /list of a program/);
  assertRefused(await check('master_key_command = ["./absent"]'), /cannot be run/);
  assertRefused(await check('master_key_command = "exit 4"'), /status 4/);
});
