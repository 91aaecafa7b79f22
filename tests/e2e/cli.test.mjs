// The command line: what people and scripts type, what comes back, and how it ends.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { PartnerApi, assertError, jsonOf } from "./support/partner_api.mjs";
import { satchel, satchelJson, temporaryFolder } from "./support/program.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const good = { filename: "a.txt", content_type: "text/plain", size_bytes: 3 };

const oneLine = (text) => assert.equal(text.trimEnd().split("\n").length, 1, text);

test("partner add, list, show and disable", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const added = await satchelJson(["partner", "add", "acme", ...at]);
  assert.match(added.partner_id, uuid);
  assert.equal(added.name, "acme");
  assert.ok(added.api_key.length >= 32);
  const api = new PartnerApi(server.baseUrl, added.api_key);
  assert.equal((await api.post(good)).status, 200);

  const listed = await satchelJson(["partner", "list", ...at]);
  assert.ok(Array.isArray(listed));
  assert.deepEqual(listed.map((one) => one.name).sort(), ["acme", "demo"]);
  assert.ok(!JSON.stringify(listed).includes(added.api_key));

  for (const who of [added.partner_id, "acme"]) {
    const shown = await satchelJson(["partner", "show", who, ...at]);
    assert.equal(shown.partner_id, added.partner_id);
    assert.ok(!JSON.stringify(shown).includes(added.api_key), "a key is shown once");
  }

  const twice = await satchel(["partner", "add", "acme", ...at]);
  assert.equal(twice.code, 1);
  oneLine(twice.stderr);

  await satchelJson(["partner", "disable", added.partner_id, ...at]);
  assertError(await api.post(good), 401, 2004);
  const after = await satchelJson(["partner", "show", added.partner_id, ...at]);
  assert.ok(after.disabled_at);
  assert.equal((await server.api.post(good)).status, 200, "others go on");
});

test("a new key works, a revoked one stops at once", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const key = await satchelJson(["key", "add", "demo", ...at]);
  assert.ok(key.api_key);
  const api = new PartnerApi(server.baseUrl, key.api_key);
  assert.equal((await api.post(good)).status, 200);

  const before = await satchelJson(["key", "list", "demo", ...at]);
  assert.equal(before.length, 2);
  assert.ok(!JSON.stringify(before).includes(key.api_key));
  const id = key.api_key_id;
  assert.match(id, uuid);

  const revoked = await satchel(["key", "revoke", id, ...at]);
  assert.equal(revoked.code, 0, revoked.stderr);
  assertError(await api.post(good), 401, 2004);
  assert.equal((await server.api.post(good)).status, 200, "the other key goes on");
  const after = await satchelJson(["key", "list", "demo", ...at]);
  assert.equal(after.filter((one) => one.revoked_at).length, 1);

  const unknown = await satchel(["key", "revoke", "550e8400-e29b-41d4-a716-446655440000", ...at]);
  assert.equal(unknown.code, 1);
  oneLine(unknown.stderr);
});

test("a revoked key stops on a connection that is open, too", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const key = await satchelJson(["key", "add", server.partnerId, ...at]);
  const { Agent } = await import("node:http");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const api = new PartnerApi(server.baseUrl, key.api_key);
  const id = "550e8400-e29b-41d4-a716-446655440000";
  assert.equal((await api.get(id, { agent })).status, 404);
  assert.equal((await satchel(["key", "revoke", key.api_key_id, ...at])).code, 0);
  assert.equal((await api.get(id, { agent })).status, 401);
});

test("line add, list and remove", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  const demo = await satchelJson(["line", "list", ...at]);
  assert.deepEqual(demo.map((line) => line.number).sort(), ["+15550100001", "+15550100002"]);
  const added = await satchelJson(["line", "add", "demo", "+15550100003", ...at]);
  assert.equal(added.number, "+15550100003");
  const again = await satchelJson(["line", "add", "demo", "+15550100003", ...at]);
  assert.deepEqual(again, added, "adding what is there changes nothing");
  await satchelJson(["partner", "add", "acme", ...at]);
  for (const [partner, number] of [
    ["acme", "+15550100003"],
    ["demo", "5550100004"],
    ["demo", "+0123"],
    ["nobody", "+15550100005"],
  ]) {
    const refused = await satchel(["line", "add", partner, number, ...at]);
    assert.equal(refused.code, 1, `${partner} ${number}`);
    oneLine(refused.stderr);
  }
  assert.equal((await satchel(["line", "remove", "+15550100003", ...at])).code, 0);
  assert.equal((await satchel(["line", "remove", "+15550100003", ...at])).code, 1);
  assert.equal((await satchelJson(["line", "list", ...at])).length, 2);
});

test("people get tables without colour codes in a pipe", limit, async (t) => {
  const server = await startDev(t);
  const at = ["--data", server.folder];
  for (const args of [
    ["partner", "list"],
    ["key", "list", "demo"],
    ["line", "list"],
    ["partner", "show", "demo"],
    ["health"],
    ["version"],
  ]) {
    const result = await satchel([...args, ...(args[0] === "version" ? [] : at)]);
    assert.equal(result.code, 0, result.stderr);
    assert.notEqual(result.stdout, "");
    assert.ok(!result.stdout.includes("\u001b"), args.join(" "));
    assert.throws(() => JSON.parse(result.stdout));
  }
  const table = (await satchel(["line", "list", ...at])).stdout.trimEnd().split("\n");
  assert.equal(table.length, 3);
  const column = table[0].indexOf("PARTNER");
  for (const row of table.slice(1)) assert.match(row.slice(column), /^[0-9a-f]{8}-/);
});

test("upload prints ids, and the bytes are there", limit, async (t) => {
  const server = await startDev(t);
  const folder = temporaryFolder(t);
  const files = { "a photo.png": seededBytes(300_000), "note.txt": Buffer.from("hello") };
  const paths = Object.entries(files).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  });
  const text = await satchel(["upload", ...paths, "--data", server.folder]);
  assert.equal(text.code, 0, text.stderr);
  const ids = text.stdout.trim().split("\n");
  assert.equal(ids.length, 2);
  const json = await satchelJson(["upload", ...paths, "--data", server.folder]);
  for (const [index, [name, bytes]] of Object.entries(files).entries()) {
    for (const id of [ids[index], json[index].attachment_id]) {
      const found = jsonOf(await server.api.get(id));
      assert.equal(found.filename, name);
      assert.equal(found.status, "complete");
      assert.ok((await request(found.download_url)).body.equals(bytes));
    }
  }
  writeFileSync(join(folder, "empty.txt"), "");
  writeFileSync(join(folder, "unknown.qqq"), "x");
  for (const path of [
    join(folder, "absent.txt"),
    join(folder, "empty.txt"),
    join(folder, "unknown.qqq"),
    folder,
  ]) {
    const refused = await satchel(["upload", path, "--data", server.folder]);
    assert.equal(refused.code, 1, path);
    oneLine(refused.stderr);
    assert.equal(refused.stdout, "");
  }
});

test("upload --to sends what it uploaded in one message", limit, async (t) => {
  const server = await startDev(t);
  const path = join(temporaryFolder(t), "photo.png");
  const bytes = seededBytes(1000);
  writeFileSync(path, bytes);
  const to = ["--to", "+15551234567"];
  const more = ["--from", "+15550100002", "--text", "look at this"];
  const sent = await satchelJson(["upload", path, path, ...to, ...more, "--data", server.folder]);
  const message = jsonOf(await server.api.call("GET", `/v3/messages/${sent.message_id}`));
  assert.equal(message.chat_id, sent.chat_id);
  assert.equal(message.from_handle.handle, "+15550100002");
  assert.deepEqual(
    message.parts.map((part) => part.value ?? part.id),
    ["look at this", ...sent.attachments.map((each) => each.attachment_id)],
  );
  assert.ok((await request(message.parts[1].url)).body.equals(bytes));

  const plain = await satchel(["upload", path, ...to, "--data", server.folder]);
  assert.equal(plain.code, 0, plain.stderr);
  const id = /^sent as message (\S+)\n$/.exec(plain.stderr)?.[1];
  const second = jsonOf(await server.api.call("GET", `/v3/messages/${id}`));
  assert.equal(second.chat_id, sent.chat_id, "from the line that last wrote to them");
  assert.equal(plain.stdout, `${second.parts[0].id}\n`);

  for (const [wrong, code] of [
    [["--text", "to nobody"], 2],
    [["--to", "5551234567"], 1],
    [[...to, "--from", "+15559999999"], 1],
  ]) {
    const refused = await satchel(["upload", path, ...wrong, "--data", server.folder]);
    assert.equal(refused.code, code, refused.stderr);
    if (code === 1) oneLine(refused.stderr);
  }
});

test("health is 0 only while the server is ready", limit, async (t) => {
  const server = await startDev(t);
  assert.equal((await satchel(["health", "--data", server.folder])).code, 0);
  assert.equal(typeof (await satchelJson(["health", "--data", server.folder])), "object");
  const env = { SATCHEL_ADMIN_URL: server.adminUrl, SATCHEL_ADMIN_TOKEN: server.adminToken };
  assert.equal((await satchel(["health"], { env, cwd: temporaryFolder(t) })).code, 0);
  const wrong = await satchel(["health"], {
    env: { ...env, SATCHEL_ADMIN_TOKEN: "wrong" },
    cwd: temporaryFolder(t),
  });
  assert.equal(wrong.code, 1);
  oneLine(wrong.stderr);
  await server.stop();
  for (const options of [{ args: ["--data", server.folder] }, { args: [], env }]) {
    const result = await satchel(["health", ...options.args], {
      env: options.env,
      cwd: temporaryFolder(t),
    });
    assert.equal(result.code, 1);
    oneLine(result.stderr);
  }
});

test("without a server every command says what to do next", limit, async (t) => {
  const empty = temporaryFolder(t);
  for (const args of [
    ["partner", "list"],
    ["key", "list", "demo"],
    ["line", "list"],
    ["health"],
    ["fsck"],
  ]) {
    const result = await satchel([...args, "--data", join(empty, "none")]);
    assert.equal(result.code, 1, args.join(" "));
    assert.equal(result.stdout, "");
    oneLine(result.stderr);
  }
});

test("version tells what this is made of", limit, async () => {
  const version = await satchelJson(["version"]);
  assert.match(version.version, /^\d+\.\d+\.\d+/);
  for (const member of ["commit", "compiler", "libraries"]) assert.ok(version[member], member);
  const text = await satchel(["version"]);
  assert.ok(text.stdout.includes(version.version));
  const flag = await satchel(["--version"]);
  assert.equal(flag.code, 0);
  assert.ok(flag.stdout.includes(version.version));
});

test("fsck of a sound folder, with and without a server", limit, async (t) => {
  const server = await startDev(t);
  const bytes = seededBytes(100_000);
  await server.api.upload({ filename: "a.png", contentType: "image/png", bytes });
  await server.api.create({ size: 3 });
  const running = await satchelJson(["fsck", "--data", server.folder]);
  await server.stop();
  const stopped = await satchelJson(["fsck", "--data", server.folder]);
  for (const report of [running, stopped]) {
    assert.deepEqual(report.findings, []);
    assert.equal(report.blobs, 1);
    assert.equal(report.bytes, bytes.length);
  }
  const text = await satchel(["fsck", "--data", server.folder]);
  assert.equal(text.code, 0);
  assert.notEqual(text.stdout, "");
});

test("a wrong command line ends with 2 and shows the way", limit, async () => {
  for (const args of [
    ["nonsense"],
    ["partner"],
    ["partner", "nonsense"],
    ["partner", "add"],
    ["partner", "add", "a", "b"],
    ["key", "revoke"],
    ["line", "add", "demo"],
    ["upload"],
    ["dev", "--nonsense"],
    ["dev", "--port", "x"],
    ["dev", "--port", "70000"],
    ["serve", "--config"],
    ["version", "extra"],
  ]) {
    const result = await satchel(args, { deadlineMs: 30_000 });
    assert.equal(
      result.code,
      2,
      `${args.join(" ")}: ${result.code} ${result.stdout} ${result.stderr}`,
    );
    assert.equal(result.stdout, "", args.join(" "));
    assert.match(result.stderr, /--help|satchel help|Usage/i, args.join(" "));
  }
});

test("help stands everywhere, on standard output, with exit code 0", limit, async () => {
  const commands = [
    "dev",
    "serve",
    "partner",
    "key",
    "line",
    "upload",
    "health",
    "version",
    "fsck",
    "erase",
  ];
  for (const args of [["help"], ["--help"], ["-h"]]) {
    const result = await satchel(args);
    assert.equal(result.code, 0, args.join(" "));
    for (const command of commands) assert.match(result.stdout, new RegExp(`\\b${command}\\b`));
    assert.equal(result.stderr, "");
  }
  for (const command of [...commands, "partner add", "partner list", "key revoke", "line add"]) {
    const words = command.split(" ");
    for (const args of [
      ["help", ...words],
      [...words, "--help"],
    ]) {
      const result = await satchel(args);
      assert.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
      assert.ok(result.stdout.includes(words.at(-1)), args.join(" "));
    }
  }
  const dev = (await satchel(["help", "dev"])).stdout;
  for (const option of ["--port", "--data", "--env-file", "--test-clock", "--admin-port"]) {
    assert.ok(dev.includes(option), option);
  }
  assert.equal((await satchel(["help", "nonsense"])).code, 2);
});

test("dev says what to paste, and --json says it to programs", limit, async (t) => {
  const server = await startDev(t);
  for (const name of ["LINQ_API_V3_BASE_URL", "LINQ_API_V3_API_KEY"]) {
    const line = `${name}=${server.variables[name]}`;
    await until(() => server.output.includes(line), { what: line });
  }
  assert.equal(server.variables.LINQ_API_URL, server.baseUrl);
  assert.equal(server.variables.LINQ_TOKEN, server.key);
  assert.equal(server.variables.LINQ_FROM_PHONE, "+15550100001");
  assert.match(server.baseUrl, /^http:\/\/127\.0\.0\.1:\d+\/api\/partner$/);
});
