// Webhooks as receivers live them: the official SDK subscribes, standardwebhooks verifies.

import assert from "node:assert/strict";
import { test } from "node:test";

import LinqAPIV3 from "@linqapp/sdk";

import { until } from "./support/deadline.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { run, satchelBinary, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver, assertSigned } from "./support/webhook_receiver.mjs";

const limit = { timeout: 240_000 };
const line = "+15550100001";
const eventsMax = Number(process.env.SATCHEL_E2E_EVENTS ?? 1000);

function sdkOf(server) {
  return new LinqAPIV3({ apiKey: server.key, baseURL: server.baseUrl, maxRetries: 0 });
}

// An address that nobody else in the test writes to: the pair limit counts each apart. It ends
// in 2, which no fate of the sandbox does.
let handles = 0;
function nextHandle() {
  handles += 1;
  return `+1202${String(100_000 + handles)}2`;
}

async function sendText(server, value = "Hello!") {
  const answer = await server.api.call("POST", "/v3/chats", {
    body: { from: line, to: [nextHandle()], message: { parts: [{ type: "text", value }] } },
  });
  assert.equal(answer.status, 201, String(answer.body));
  return jsonOf(answer).chat;
}

test("the official SDK manages subscriptions; the secret is shown once", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const made = await client.webhookSubscriptions.create({
    target_url: "https://app.example.com/hook?x=1",
    subscribed_events: ["message.sent", "message.received"],
    phone_numbers: [line],
  });
  assert.match(made.signing_secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.deepEqual(Object.keys(made).sort(), [
    "created_at", "id", "is_active", "phone_numbers", "signing_secret", "subscribed_events",
    "target_url", "updated_at",
  ]);

  const listed = await client.webhookSubscriptions.list();
  const { signing_secret: _, ...rest } = made;
  assert.deepEqual(listed.subscriptions, [rest]);
  assert.deepEqual({ ...(await client.webhookSubscriptions.retrieve(made.id)) }, rest);

  const updated = await client.webhookSubscriptions.update(made.id, {
    is_active: false,
    subscribed_events: ["message.read"],
    phone_numbers: null,
  });
  assert.equal(updated.is_active, false);
  assert.deepEqual(updated.subscribed_events, ["message.read"]);
  assert.equal(updated.phone_numbers, null);
  assert.equal(updated.target_url, made.target_url);

  const events = await client.webhookEvents.list();
  assert.equal(events.events.length, 45);
  assert.equal(events.doc_url, "https://docs.linqapp.com/guides/webhooks/events");

  await client.webhookSubscriptions.delete(made.id);
  assert.deepEqual((await client.webhookSubscriptions.list()).subscriptions, []);
});

test("wrong subscriptions are refused with the codes of the contract", limit, async (t) => {
  const server = await startDev(t);
  const post = (body) => server.api.call("POST", "/v3/webhook-subscriptions", { body });
  const subscribed_events = ["message.sent"];
  const target_url = "https://app.example.com/";
  assertError(await post({ subscribed_events }), 400, 1001);
  assertError(await post({ target_url }), 400, 1001);
  assertError(await post({ target_url, subscribed_events: "message.sent" }), 400, 1003);
  assertError(await post({ target_url, subscribed_events: [] }), 400, 1005);
  assertError(await post({ target_url, subscribed_events: ["attachment.deleted"] }), 400, 1005);
  assertError(await post({ target_url: "ftp://a.example/", subscribed_events }), 400, 1005);
  assertError(await post({ target_url: "https://a:b@a.example/", subscribed_events }), 400, 1005);
  assertError(await post({ target_url: "x", subscribed_events }), 400, 1005);
  assertError(await post({ target_url, subscribed_events, phone_numbers: ["1"] }), 400, 1002);
  assertError(
    await post({ target_url, subscribed_events, phone_numbers: ["+15559999999"] }), 403, 2006);
  assert.equal((await post({ target_url, subscribed_events })).status, 201);
  const again = await post({ target_url, subscribed_events });
  assertError(again, 409, 2015);
  assert.equal(again.headers["x-should-retry"], "false");
  for (const id of ["nobody", "550e8400-e29b-41d4-a716-446655440000"]) {
    for (const method of ["GET", "DELETE"]) {
      const path = `/v3/webhook-subscriptions/${id}`;
      assertError(await server.api.call(method, path), 404, 2010);
    }
  }
});

test("without the development switches a target must be public https", limit, async (t) => {
  const server = await startDev(t, {
    env: { SATCHEL_FETCH__ALLOW_HTTP: "false", SATCHEL_FETCH__ALLOW_PRIVATE_ADDRESSES: "false" },
  });
  for (const target_url of [
    "http://app.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
    "https://169.254.169.254/latest",
  ]) {
    const body = { target_url, subscribed_events: ["message.sent"] };
    assertError(await server.api.call("POST", "/v3/webhook-subscriptions", { body }), 400, 1005);
  }
});

test("a send is heard of in both versions, signed in both ways", limit, async (t) => {
  const server = await startDev(t);
  const receiver = await WebhookReceiver.start(t);
  const client = sdkOf(server);
  const subscribed_events = ["chat.created", "message.sent", "message.delivered"];
  const [newer, older, other] = await Promise.all(
    [
      { target_url: `${receiver.origin}/new?a=1`, subscribed_events },
      { target_url: `${receiver.origin}/old?version=2025-01-01`, subscribed_events },
      { target_url: `${receiver.origin}/other`, subscribed_events,
        phone_numbers: ["+15550100002"] },
    ].map((body) => client.webhookSubscriptions.create(body)));
  assert.ok(other.id);
  const chat = await sendText(server, "Hello 😀");

  await receiver.received("chat.created", 2);
  await receiver.received("message.sent", 2);
  await receiver.received("message.delivered", 2);
  for (const delivery of receiver.deliveries) {
    const subscription = delivery.url === "/new?a=1" ? newer : older;
    assert.notEqual(delivery.url, "/other");
    assertSigned(delivery, subscription.signing_secret, subscription.id);
    const { json } = delivery;
    assert.deepEqual(Object.keys(json).sort(), [
      "api_version", "created_at", "data", "event_id", "event_type", "partner_id", "trace_id",
      "webhook_version",
    ]);
    assert.equal(json.api_version, "v3");
    assert.equal(json.webhook_version, subscription === newer ? "2026-02-03" : "2025-01-01");
    assert.equal(json.partner_id, server.partnerId);
    assert.match(json.trace_id, /^[0-9a-f]{32}$/);
  }
  const [sent] = receiver.deliveries.filter(
    ({ url, json }) => url === "/new?a=1" && json.event_type === "message.sent");
  assert.equal(sent.json.data.chat.id, chat.id);
  assert.equal(sent.json.data.id, chat.message.id);
  assert.equal(sent.json.data.direction, "outbound");
  assert.equal(sent.json.data.sender_handle.handle, line);
  assert.equal(sent.json.data.delivered_at, null);
  assert.equal(sent.json.data.parts[0].value, "Hello 😀");
  const [delivered] = receiver.deliveries.filter(
    ({ url, json }) => url.startsWith("/old") && json.event_type === "message.delivered");
  assert.equal(delivered.json.data.message_id, chat.message.id);
  assert.equal(delivered.json.data.chat_id, chat.id);
  assert.equal(delivered.json.data.message.is_delivered, true);
  assert.equal(delivered.json.data.is_from_me, true);
});

test("receivers that fail are tried again with one id and body, or given up", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const failures = {
    "/500": 500, "/429": 429, "/cut": "cut", "/hang": "hang",
    "/410": 410, "/404": 404, "/302": [302, { location: "/elsewhere" }],
  };
  let isBack = false;
  const receiver = await WebhookReceiver.start(t, ({ url }) =>
    isBack ? 204 : (failures[url] ?? 200));
  const client = sdkOf(server);
  for (const path of [...Object.keys(failures), "/healthy"]) {
    await client.webhookSubscriptions.create({
      target_url: receiver.origin + path, subscribed_events: ["message.sent"] });
  }
  const at = (url) => receiver.deliveries.filter((each) => each.url === url);
  await sendText(server);
  await until(() => at("/healthy").length === 1, { what: "the healthy receiver's delivery" });
  await server.advanceClock(4); // Returns when what is due was tried: the hanging one too.
  for (const path of ["/500", "/429", "/cut"]) {
    assert.ok(at(path).length >= 2, path);
  }
  isBack = true;
  await server.advanceClock(30);
  for (const path of ["/500", "/429", "/cut", "/hang"]) {
    await until(() => at(path).length >= 2, { what: `a retry at ${path}` });
    assert.equal(new Set(at(path).map(({ body }) => body)).size, 1, path);
  }
  await server.advanceClock(3600);
  for (const path of ["/410", "/404", "/302", "/healthy"]) assert.equal(at(path).length, 1, path);
  assert.equal(at("/elsewhere").length, 0);

  const cli = (...args) => run(satchelBinary, [...args, "--data", server.folder]);
  const listed = await cli("webhook", "list-failed", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const failed = JSON.parse(listed.stdout);
  assert.deepEqual(
    failed.map(({ target_url, last_status }) => [new URL(target_url).pathname, last_status]).sort(),
    [["/302", 302], ["/404", 404], ["/410", 410]]);
  const eventId = at("/410")[0].json.event_id;
  assert.ok(failed.every((each) => each.event_id === eventId && each.attempts === 1));
  const shown = await cli("webhook", "list-failed");
  assert.match(shown.stdout, /EVENT ID/);
  assert.ok(shown.stdout.includes(eventId));

  assert.equal((await cli("webhook", "replay")).code, 2);
  assert.equal((await cli("webhook", "replay", "nothing")).code, 1);
  assert.match((await cli("webhook", "replay", eventId)).stdout, /^3 /);
  for (const path of ["/410", "/404", "/302"]) {
    await until(() => at(path).length === 2, { what: `a replay at ${path}` });
    assert.equal(at(path)[0].body, at(path)[1].body);
  }
  await until(async () => (await cli("webhook", "list-failed", "--json")).stdout === "[]\n", {
    what: "an empty failed list" });
});

test("nothing is lost when a third fails and the server is killed", limit, async (t) => {
  const data = `${temporaryFolder(t)}/data`;
  let server = await startDev(t, { data, args: ["--test-clock"] });
  let turn = 0;
  const receiver = await WebhookReceiver.start(t, () => {
    turn += 1;
    return [200, 200, 500, 200, 429, 200, 200, "cut", 200, 200][turn % 10];
  });
  const made = await sdkOf(server).webhookSubscriptions.create({
    target_url: `${receiver.origin}/`, subscribed_events: ["message.sent"] });
  const accepted = new Set();
  const sendMany = async (count) => {
    let left = count;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        const chat = await sendText(server);
        accepted.add(chat.message.id);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  };
  await sendMany(eventsMax / 2);
  await server.kill9();
  server = await startDev(t, { data, args: ["--test-clock"] });
  await sendMany(eventsMax / 2);
  const seen = () => new Set(receiver.deliveries.map(({ json }) => json.data.id));
  await until(async () => {
    await server.advanceClock(60);
    const got = seen();
    return [...accepted].every((id) => got.has(id));
  }, { what: "every event", deadlineMs: 120_000 });
  const bodies = new Map();
  for (const { json, body } of receiver.deliveries) {
    assert.equal(bodies.get(json.event_id) ?? body, body);
    bodies.set(json.event_id, body);
  }
  assertSigned(receiver.deliveries.at(-1), made.signing_secret, made.id);
});
