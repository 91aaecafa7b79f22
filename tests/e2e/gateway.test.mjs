// Messages through a carrier's bridge: the example bridge as it stands in examples/, bridges that
// fail, and what they report.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import LinqAPIV3 from "@linqapp/sdk";

import {
  ScriptedBridge, bridgeEnvironment, callGateway, newSecret, startExampleBridge,
  startFileServer,
} from "./support/carrier_bridge.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { assertError, assertXmlError, jsonOf } from "./support/partner_api.mjs";
import { drawing, jpeg } from "./support/pictures.mjs";
import { freePort } from "./support/ports.mjs";
import { run, satchelBinary, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 120_000 };
const line = "+15550100001";
const friend = "+15551234567";
const unknownId = "00000000-0000-4000-8000-000000000000";
const photo = jpeg(drawing(320, 240));
const photoAnswer = [200, { "content-type": "image/jpeg" }, photo];
const messageEvents = ["sent", "delivered", "read", "failed", "received"].map((e) => `message.${e}`);

const sdk = (server) =>
  new LinqAPIV3({ apiKey: server.key, baseURL: server.baseUrl, maxRetries: 0 });

async function startWithBridge(t, bridge, options = {}) {
  const server = await startDev(t, {
    args: ["--test-clock"], ...options, env: { ...bridge.environment, ...options.env },
  });
  server.client = sdk(server);
  return server;
}

async function subscribe(t, server) {
  const receiver = await WebhookReceiver.start(t);
  await sdk(server).webhookSubscriptions.create({
    target_url: receiver.origin, subscribed_events: messageEvents,
  });
  return receiver;
}

const told = (receiver) => receiver.deliveries.map(({ json }) => json.event_type).sort();

async function send(server, parts = [{ type: "text", value: "Hi" }]) {
  const { chat } = await sdk(server).chats.create({ from: line, to: [friend], message: { parts } });
  return chat.message.id;
}

async function sendPhoto(server) {
  const uploaded = await server.api.upload({
    filename: "my photo.jpg", contentType: "image/jpeg", bytes: photo,
  });
  const id = await send(server, [
    { type: "text", value: "Look" },
    { type: "media", attachment_id: uploaded.attachment_id },
  ]);
  return { id, uploaded };
}

async function statusOf(server, id) {
  return (await sdk(server).messages.retrieve(id)).delivery_status;
}

const reaches = (server, id, status) =>
  until(async () => (await statusOf(server, id)) === status, { what: `message ${status}` });

const inbound = (id, parts, more = {}) => ({ id, line, from: friend, parts, ...more });
const text = (value) => ({ type: "text", value });
const media = (url, more = {}) => ({ type: "media", url, ...more });

function messageOf(server, id) {
  return server.api.call("GET", `/v3/messages/${id}`);
}

test("a photo goes out through the example bridge and is reported", limit, async (t) => {
  const port = await freePort();
  const secret = newSecret();
  const server = await startDev(t, { env: bridgeEnvironment(`http://127.0.0.1:${port}`, secret) });
  const receiver = await subscribe(t, server);
  const out = join(temporaryFolder(t), "box");
  await startExampleBridge(t, { port, satchel: server.origin, out, secret });

  const { id, uploaded } = await sendPhoto(server);
  await receiver.received("message.sent", 1);
  await receiver.received("message.delivered", 1);
  assert.deepEqual(readFileSync(join(out, id, "1-my photo.jpg")), photo);
  const message = JSON.parse(readFileSync(join(out, id, "message.json"), "utf8"));
  assert.equal(message.message_id, id);
  assert.equal(message.chat.line, line);
  assert.deepEqual(message.chat.recipients, [friend]);
  assert.equal(message.parts[0].value, "Look");
  assert.equal(message.parts[1].id, uploaded.attachment_id);
  assert.equal(message.parts[1].mime_type, "image/jpeg");
  assert.equal(message.parts[1].size_bytes, photo.length);
  const read = await sdk(server).messages.retrieve(id);
  assert.equal(read.delivery_status, "delivered");
  assert.ok(read.sent_at <= read.delivered_at);
  assert.equal(read.parts[1].url, uploaded.download_url, "partners keep the lasting URL");
  assert.deepEqual(told(receiver), ["message.delivered", "message.sent"]);
});

test("a message comes in through the example bridge, with its photo", limit, async (t) => {
  const port = await freePort();
  const secret = newSecret();
  const server = await startDev(t, { env: bridgeEnvironment(`http://127.0.0.1:${port}`, secret) });
  const receiver = await subscribe(t, server);
  const carrier = await startFileServer(t, () => photoAnswer);
  const out = join(temporaryFolder(t), "box");
  const bridge = await startExampleBridge(t, { port, satchel: server.origin, out, secret });

  const comeIn = async (message) => {
    const answer = await request(`${bridge.url}/come-in`, {
      method: "POST", body: JSON.stringify(message) });
    assert.equal(answer.status, 202, String(answer.body));
    return JSON.parse(answer.body).message_id;
  };
  const message = inbound("SM1", [text("For you"), media(`${carrier.origin}/me/photo.jpg`)], {
    service: "SMS", at: "2026-01-02T03:04:05Z" });
  const id = await comeIn(message);
  const [delivery] = await receiver.received("message.received", 1);
  const { data } = delivery.json;
  assert.equal(data.id, id);
  assert.equal(data.service, "SMS");
  assert.equal(Date.parse(data.sent_at), Date.parse("2026-01-02T03:04:05Z"));
  assert.equal(data.sender_handle.handle, friend);
  assert.equal(data.parts[1].filename, "photo.jpg");
  assert.equal(data.parts[1].mime_type, "image/jpeg");
  assert.deepEqual((await request(data.parts[1].url)).body, photo);
  const attachment = jsonOf(await server.api.get(data.parts[1].id));
  assert.equal(attachment.download_url, data.parts[1].url);

  assert.equal(await comeIn(message), id);
  bridge.child.stdin.write(`${JSON.stringify(inbound("SM2", [text("By hand")]))}\n`);
  await receiver.received("message.received", 2);
  assert.equal(receiver.deliveries.length, 2);
  assert.equal(carrier.times("/me/photo.jpg"), 1);
});

test("a bridge that was away gets the message later, and takes it once", limit, async (t) => {
  let answer = 500;
  const bridge = await ScriptedBridge.start(t, () => answer);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  await bridge.close();
  const id = await send(server);
  await reaches(server, id, "queued");
  await server.advanceClock(4);
  assert.equal(bridge.posts.length, 0);
  await bridge.open();
  await server.advanceClock(10);
  assert.equal(bridge.posts.length, 1);
  answer = 202;
  await server.advanceClock(20);
  assert.equal(bridge.posts.length, 2);
  for (const post of bridge.posts) {
    assert.equal(post.url, "/messages");
    assert.equal(post.headers["webhook-id"], id);
    assert.equal(post.message.message_id, id);
  }
  await server.advanceClock(7200);
  assert.equal(bridge.posts.length, 2);
  assert.equal(await statusOf(server, id), "queued");
  assert.deepEqual(told(receiver), []);
  const reported = await bridge.tell(server, "statuses", { message_id: id, status: "delivered" });
  assert.deepEqual(jsonOf(reported), { message_id: id, delivery_status: "delivered" });
  await receiver.received("message.delivered", 1);
  assert.deepEqual(told(receiver), ["message.delivered", "message.sent"]);
});

test("a bridge's refusal fails the message with its reason", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t, () => [
    400, JSON.stringify({ code: 4005, reason: "This number takes no pictures" })]);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  const id = await send(server);
  const [{ json }] = await receiver.received("message.failed", 1);
  assert.equal(json.data.message_id, id);
  assert.equal(json.data.code, 4005);
  assert.equal(json.data.reason, "This number takes no pictures");
  await server.advanceClock(7200);
  assert.equal(bridge.posts.length, 1);
  assert.equal(await statusOf(server, id), "failed");
});

test("a bridge that never takes the message fails it in the end", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t, () => 503);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  const id = await send(server);
  await bridge.handedOver(1);
  for (let attempt = 2; attempt <= 12; attempt += 1) {
    assert.equal(await statusOf(server, id), "queued");
    await server.advanceClock(3 * 2 ** (attempt - 2) + 1);
    await bridge.handedOver(attempt);
  }
  const [{ json }] = await receiver.received("message.failed", 1);
  assert.equal(json.data.code, 3007);
  assert.equal(bridge.posts.length, 12);
});

test("what the answer says of the message is told at once", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t, () => [200, '{"status":"read"}']);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  const id = await send(server);
  await reaches(server, id, "read");
  await receiver.received("message.read", 1);
  assert.deepEqual(told(receiver), ["message.delivered", "message.read", "message.sent"]);
});

test("reports may come late, twice and in any order", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  const id = await send(server);
  await bridge.handedOver(1);
  const report = async (status, more) => {
    const answer = await bridge.tell(server, "statuses", { message_id: id, status, ...more });
    assert.equal(answer.status, 200, String(answer.body));
    return jsonOf(answer).delivery_status;
  };
  assert.equal(await report("sent"), "sent");
  assert.equal(await report("sent"), "sent");
  assert.equal(await report("read", { at: "2999-01-01T00:00:00Z" }), "read");
  assert.equal(await report("delivered"), "read");
  assert.equal(await report("failed", { code: 4001, reason: "no" }), "read");
  await receiver.received("message.read", 1);
  assert.deepEqual(told(receiver), ["message.delivered", "message.read", "message.sent"]);
  const read = await server.client.messages.retrieve(id);
  assert.ok(read.sent_at <= read.delivered_at && read.delivered_at <= read.read_at);
  assert.ok(Date.parse(read.read_at) < Date.parse("2999-01-01T00:00:00Z"));
});

test("wrong reports and messages are refused with the codes of the table", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  const server = await startWithBridge(t, bridge);
  const id = await send(server);
  const status = (content) => bridge.tell(server, "statuses", content);
  assertError(await status({ message_id: unknownId, status: "sent" }), 404, 2002);
  assertError(await status({ status: "sent" }), 400, 1001);
  assertError(await status({ message_id: id, status: "queued" }), 400, 1005);
  assertError(await status({ message_id: id, status: "failed", code: 5000 }), 400, 1005);
  assertError(await status({ message_id: id, status: "sent", at: "noon" }), 400, 1005);
  assertError(await status([]), 400, 1003);
  const comeIn = (content) => bridge.tell(server, "inbound", content);
  const good = inbound("1", [text("Hi")]);
  assertError(await comeIn({ ...good, id: undefined }), 400, 1001);
  assertError(await comeIn({ ...good, id: "" }), 400, 1005);
  assertError(await comeIn({ ...good, line: "+15559999999" }), 404, 2019);
  assertError(await comeIn({ ...good, from: "somebody" }), 400, 1002);
  assertError(await comeIn({ ...good, others: ["somebody"] }), 400, 1002);
  assertError(await comeIn({ ...good, service: "fax" }), 400, 1005);
  assertError(await comeIn({ ...good, parts: [] }), 400, 1004);
  assertError(await comeIn({ ...good, parts: [{ type: "sound" }] }), 400, 1004);
  assertError(await comeIn({ ...good, parts: [media("ftp://a.example/x")] }), 400, 1005);
  assertError(await comeIn({ ...good, more: "x".repeat(300_000) }), 413, 1003);
  const [onlyChat, ...others] = (await server.client.chats.listChats()).chats;
  assert.equal(onlyChat.handles.length, 2);
  assert.equal(others.length, 0);
});

test("only the bridge may report, and only where there is one", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  const id = await send(server);
  const report = { message_id: id, status: "sent" };
  const minutesAgo = (minutes) => new Date(Date.now() - minutes * 60_000);
  const forged = [
    callGateway(server, newSecret(), "statuses", report),
    bridge.tell(server, "statuses", report, { body: JSON.stringify({ ...report, x: 1 }) }),
    bridge.tell(server, "statuses", report, { change: { "webhook-id": "other" } }),
    bridge.tell(server, "statuses", report, { change: { "webhook-signature": undefined } }),
    bridge.tell(server, "statuses", report, { change: { "webhook-signature": "v1," } }),
    bridge.tell(server, "statuses", report, { change: { "webhook-timestamp": "soon" } }),
    bridge.tell(server, "statuses", report, { at: minutesAgo(6) }),
    bridge.tell(server, "statuses", report, { at: minutesAgo(-6) }),
    callGateway(server, newSecret(), "inbound", inbound("1", [text("Hi")])),
  ];
  for (const answer of await Promise.all(forged)) assertError(answer, 401, 2004);
  const withGet = await bridge.tell(server, "statuses", report, { method: "GET" });
  assertError(withGet, 405, 1005);
  assert.equal(withGet.headers.allow, "POST");
  assertError(await bridge.tell(server, "elsewhere", report), 404, 2001);
  assert.deepEqual(told(receiver), []);
  assert.equal((await bridge.tell(server, "statuses", report, { at: minutesAgo(4) })).status, 200);

  const sandbox = await startDev(t);
  assertError(await bridge.tell(sandbox, "statuses", report), 404, 2001);
});

test("a media URL of the bridge holds for a quarter of an hour", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  const server = await startWithBridge(t, bridge);
  const { uploaded } = await sendPhoto(server);
  const other = await sendPhoto(server);
  const [first, second] = (await bridge.handedOver(2)).map(({ message }) => message.parts[1].url);

  const whole = await request(first);
  assert.equal(whole.status, 200);
  assert.deepEqual(whole.body, photo);
  assert.equal(whole.headers["content-type"], "image/jpeg");
  assert.equal(whole.headers["cache-control"], "private, no-store");
  const head = await request(first, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers["content-length"], String(photo.length));
  const piece = await request(first, { headers: { range: "bytes=10-19" } });
  assert.equal(piece.status, 206);
  assert.deepEqual(piece.body, photo.subarray(10, 20));

  const handed = [uploaded.attachment_id, other.uploaded.attachment_id];
  const [own, foreign] = first.includes(handed[0]) ? handed : [...handed].reverse();
  const path = first.slice(0, first.indexOf("?"));
  const changed = [
    first.replace(own, foreign), first.replace("my%20photo", "photo"), `${first}&x=1`,
    first.replace(/Expires=\d+/, "Expires=9000"), first.replace(/.$/, (c) => (c === "0" ? "1" : "0")),
    path, first.replace("/attachments/signed/", "/attachments/signed//"),
  ];
  for (const url of changed) assertXmlError(await request(url), 403, "AccessDenied");
  assertXmlError(await request(first, { method: "PUT", body: "x" }), 405, "MethodNotAllowed");

  assert.equal((await server.api.delete(own)).status, 204);
  assertXmlError(await request(first), 404, "NoSuchKey");
  await server.advanceClock(14 * 60);
  assert.equal((await request(second)).status, 200);
  await server.advanceClock(2 * 60);
  assertXmlError(await request(second), 403, "AccessDenied", "Request has expired");
  assert.equal((await request(second, { method: "HEAD" })).status, 403);
});

test("a file that comes late delays its message, one that never comes leaves a gap", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  const server = await startWithBridge(t, bridge);
  const receiver = await subscribe(t, server);
  const carrier = await startFileServer(t, (path, count) =>
    path === "/late.jpg" && count > 2 ? photoAnswer : [503, {}, ""]);
  const comeIn = async (id, parts) => {
    const answer = await bridge.tell(server, "inbound", inbound(id, parts));
    assert.equal(answer.status, 202, String(answer.body));
    return jsonOf(answer).message_id;
  };
  const late = await comeIn("late", [media(`${carrier.origin}/late.jpg`)]);
  const never = await comeIn("never", [
    text("Look"), media(`${carrier.origin}/never.jpg`), text("there")]);
  const other = await comeIn("text", [text("Hello?")]);
  await receiver.received("message.received", 1);
  assert.equal(receiver.deliveries[0].json.data.id, other);
  await until(() => carrier.times("/late.jpg") === 1, { what: "the first attempt" });
  assertError(await messageOf(server, late), 404, 2002);
  await server.advanceClock(6);
  assert.equal(carrier.times("/late.jpg"), 2);
  await server.advanceClock(12);
  const [, { json }] = await receiver.received("message.received", 2);
  assert.equal(json.data.id, late);
  assert.deepEqual((await request(json.data.parts[0].url)).body, photo);

  for (let wait = 20; carrier.times("/never.jpg") < 8; wait *= 2) {
    assertError(await messageOf(server, never), 404, 2002);
    await server.advanceClock(wait + 1);
  }
  const [, , last] = await receiver.received("message.received", 3);
  assert.equal(last.json.data.id, never);
  assert.deepEqual(last.json.data.parts.map((part) => part.value ?? part.url),
    ["Look", null, "there"]);
  const { parts } = jsonOf(await messageOf(server, never));
  assert.equal(parts[1].type, "media");
  for (const name of ["id", "url", "filename", "mime_type", "size_bytes"]) {
    assert.equal(parts[1][name], null, name);
  }
  await server.advanceClock(3600);
  assert.equal(carrier.times("/never.jpg"), 8);
  assert.equal(receiver.deliveries.length, 3);
});

test("strangers' media URLs follow the rules for clients, the bridge's own do not", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  bridge.files.set("/own.jpg", photoAnswer);
  const carrier = await startFileServer(t, () => photoAnswer);
  bridge.files.set("/away.jpg", [302, { location: `${carrier.origin}/stolen.jpg` }, ""]);
  const server = await startWithBridge(t, bridge, { env: {
    SATCHEL_FETCH__ALLOW_HTTP: "false", SATCHEL_FETCH__ALLOW_PRIVATE_ADDRESSES: "false" } });
  const own = new URL(bridge.url).origin;
  const answer = await bridge.tell(server, "inbound", inbound("1", [
    media(`${own}/own.jpg`, { filename: "renamed.jpeg" }), media(`${own}/away.jpg`),
    media(`${carrier.origin}/inside.jpg`), media("http://169.254.169.254/latest"),
    media(`${own}/own.jpg`, { filename: "tool.exe" }),
  ]));
  const id = jsonOf(answer).message_id;
  await until(async () => (await messageOf(server, id)).status === 200, { what: "the message" });
  const { parts } = jsonOf(await messageOf(server, id));
  assert.deepEqual(parts.map(({ filename }) => filename), ["renamed.jpeg", null, null, null, null]);
  assert.equal(carrier.times("/stolen.jpg") + carrier.times("/inside.jpg"), 0);
});

test("a kill in between loses nothing and doubles nothing", limit, async (t) => {
  const data = join(temporaryFolder(t), "data");
  let taken = "hang";
  const bridge = await ScriptedBridge.start(t, () => taken);
  let fileAnswer = "hang";
  const carrier = await startFileServer(t, () => fileAnswer);
  const first = await startWithBridge(t, bridge, { data });
  const receiver = await subscribe(t, first);
  const outbound = await send(first);
  await bridge.handedOver(1);
  const message = inbound("SM1", [media(`${carrier.origin}/photo.jpg`)]);
  const id = jsonOf(await bridge.tell(first, "inbound", message)).message_id;
  await until(() => carrier.times("/photo.jpg") === 1, { what: "the download" });
  await first.kill9();

  taken = 202;
  fileAnswer = photoAnswer;
  const second = await startWithBridge(t, bridge, { data });
  await bridge.handedOver(2);
  assert.deepEqual(bridge.posts.map(({ headers }) => headers["webhook-id"]), [outbound, outbound]);
  const [{ json }] = await receiver.received("message.received", 1);
  assert.equal(json.data.id, id);
  assert.equal(jsonOf(await bridge.tell(second, "inbound", message)).message_id, id);
  await second.kill9();
  const third = await startWithBridge(t, bridge, { data });
  assert.equal(jsonOf(await bridge.tell(third, "inbound", message)).message_id, id);
  await third.advanceClock(3600);
  assert.equal(receiver.deliveries.length, 1);
  assert.equal(bridge.posts.length, 2);
  assert.equal(carrier.times("/photo.jpg"), 2);
});

test("many messages survive a bridge that fails every third time, and a kill", limit, async (t) => {
  const data = join(temporaryFolder(t), "data");
  let turn = 0;
  const bridge = await ScriptedBridge.start(t, () => {
    turn += 1;
    return turn % 3 === 0 ? 500 : 202;
  });
  const carrier = await startFileServer(t, (path, count) =>
    count === 1 && path.endsWith("0.jpg") ? [503, {}, ""] : photoAnswer);
  let server = await startWithBridge(t, bridge, { data });
  const receiver = await subscribe(t, server);
  const outbound = [];
  const inboundIds = new Map(); // The bridge's id to the message's.
  const work = async (from, to) => {
    for (let number = from; number < to; number += 1) {
      const { chat } = await server.client.chats.create({
        from: line, to: [`+1202555${1000 + number}`], message: { parts: [text(`${number}`)] } });
      outbound.push(chat.message.id);
      const answer = await bridge.tell(server, "inbound",
        inbound(`SM${number}`, [media(`${carrier.origin}/${number}.jpg`)]));
      inboundIds.set(`SM${number}`, jsonOf(answer).message_id);
    }
  };
  await work(0, 30);
  await server.kill9();
  server = await startWithBridge(t, bridge, { data });
  await work(25, 50); // Some come again.
  const handedOver = () => new Set(bridge.posts.map(({ message }) => message.message_id));
  const came = () => receiver.deliveries.filter((d) => d.json.event_type === "message.received");
  await until(async () => {
    await server.advanceClock(60);
    return outbound.every((id) => handedOver().has(id)) && came().length >= 50;
  }, { what: "every message", deadlineMs: 60_000 });
  await Promise.all([...outbound, ...outbound].map(async (message_id) => {
    const answer = await bridge.tell(server, "statuses", { message_id, status: "delivered" });
    assert.equal(answer.status, 200, String(answer.body));
  }));
  const perEvent = (type) => {
    const ids = receiver.deliveries.filter(({ json }) => json.event_type === type)
      .map(({ json }) => `${json.data.id} ${json.event_id}`);
    return [...new Set(ids)].map((each) => each.split(" ")[0]).sort();
  };
  await until(() => perEvent("message.delivered").length >= outbound.length, {
    what: "every report" });
  await server.advanceClock(7200);
  assert.deepEqual(perEvent("message.sent"), [...outbound].sort());
  assert.deepEqual(perEvent("message.delivered"), [...outbound].sort());
  assert.deepEqual(perEvent("message.received"), [...inboundIds.values()].sort());
  assert.ok(came().every(({ json }) => json.data.parts[0].size_bytes === photo.length));
});

test("a group message comes in from all of its people", limit, async (t) => {
  const bridge = await ScriptedBridge.start(t);
  const server = await startWithBridge(t, bridge);
  const answer = await bridge.tell(server, "inbound",
    inbound("1", [text("All of you")], { others: ["+15557654321", "ann@example.com"] }));
  const { chat_id: chatId } = jsonOf(await messageOf(server, jsonOf(answer).message_id));
  const chat = await server.client.chats.retrieve(chatId);
  assert.equal(chat.is_group, true);
  assert.deepEqual(chat.handles.map(({ handle }) => handle).sort(),
    ["+15550100001", "+15551234567", "+15557654321", "ann@example.com"]);
});

test("settings of the gateway that do not fit stop the start", limit, async (t) => {
  const folder = temporaryFolder(t);
  const start = (env) => run(satchelBinary, ["dev", "--port", "0", "--data", join(folder, "data")],
    { env: Object.fromEntries(Object.entries(env).map(([k, v]) => [`SATCHEL_GATEWAY__${k}`, v])) });
  const secret = newSecret();
  const url = "http://127.0.0.1:1/";
  for (const [env, said] of [
    [{ KIND: "carrier" }, "SATCHEL_GATEWAY__KIND: must be sandbox or http"],
    [{ KIND: "http" }, "needs gateway.url"],
    [{ KIND: "http", URL: url }, "needs gateway.secret"],
    [{ KIND: "http", URL: url, SECRET: "whsec_c2hvcnQ=" }, "SATCHEL_GATEWAY__SECRET: must be whsec_"],
    [{ KIND: "http", URL: "bridge", SECRET: secret }, "SATCHEL_GATEWAY__URL: must be a URL"],
    [{ URL: url }, "SATCHEL_GATEWAY__URL is for a bridge"],
    [{ KIND: "http", URL: url, SECRET: secret, SECRET_FILE: "x" }, "not both"],
  ]) {
    const ended = await start(env);
    assert.equal(ended.code, 1, ended.stdout + ended.stderr);
    assert.equal(ended.stderr.trim().split("\n").length, 1, ended.stderr);
    assert.ok(ended.stderr.includes(said), ended.stderr);
    assert.ok(!ended.stderr.includes(secret));
  }
  assert.ok(!existsSync(join(folder, "data")));
});
