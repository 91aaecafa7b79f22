// What subscribers are told, member by member, in both versions (contract sections 5.3 to 5.8),
// on deliveries that came and whose two signatures hold.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  createChat, line, media, newChat, nextPerson, otherLine, photo, receive, sdk, sendInto, text, upload,
} from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { jsonOf } from "./support/partner_api.mjs";
import { assertShape, webhookShape } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver, assertSigned } from "./support/webhook_receiver.mjs";

const limit = { timeout: 60_000 };
const subscribed_events = [
  "chat.created", "message.sent", "message.received", "message.delivered", "message.read",
  "message.failed",
];
const server = await startDev({ after });
const client = sdk(server);
const receiver = await WebhookReceiver.start({ after });
const subscribe = (path, rest = {}) =>
  client.webhookSubscriptions.create({ target_url: receiver.origin + path, subscribed_events, ...rest });
const versions = { "/new?a=1&b=%20": "2026-02-03", "/old?version=2025-01-01": "2025-01-01" };
const subscriptions = {};
for (const path of Object.keys(versions)) subscriptions[path] = await subscribe(path);

const chatOf = ({ data }) => data.chat_id ?? data.chat?.id ?? data.id;

// The deliveries about a chat, { "2026-02-03": { type: data }, "2025-01-01": ... }, once those of
// `types` are there: each once to each subscription, and nothing besides.
async function told(chatId, types) {
  const about = () => receiver.deliveries.filter(({ url, json }) =>
    url in versions && chatOf(json) === chatId);
  const wanted = 2 * types.length;
  await until(() => about().length >= wanted, { what: `${wanted} deliveries about ${chatId}` });
  const found = { "2026-02-03": {}, "2025-01-01": {} };
  const ids = {};
  for (const delivery of about()) {
    const version = versions[delivery.url];
    const { json } = delivery;
    const type = json.event_type;
    assertSigned(delivery, subscriptions[delivery.url].signing_secret, subscriptions[delivery.url].id);
    assertShape(json, webhookShape(type, version), `${type} ${version}`);
    assert.equal(json.partner_id, server.partnerId);
    assert.equal(found[version][type], undefined, `${type} came twice`);
    found[version][type] = json.data;
    ids[type] ??= json.event_id;
    assert.equal(json.event_id, ids[type], "one event, one id for all subscribers");
  }
  for (const version of Object.values(versions)) {
    assert.deepEqual(Object.keys(found[version]).sort(), [...types].sort());
  }
  assert.equal(new Set(Object.values(ids)).size, types.length);
  return found;
}

test("a plain message is told of as begun, sent and delivered", limit, async () => {
  const chat = await newChat(server, { message: { parts: [text("Hello 😀")] } });
  const found = await told(chat.id, ["chat.created", "message.sent", "message.delivered"]);
  const stored = await client.messages.retrieve(chat.message.id);
  const { is_archived: _, ...whole } = await client.chats.retrieve(chat.id);
  for (const { "chat.created": data } of Object.values(found)) {
    assert.deepEqual({ ...data, updated_at: "" }, { ...whole, updated_at: "" });
  }
  for (const type of ["message.sent", "message.delivered"]) {
    const isDelivered = type === "message.delivered";
    const newer = found["2026-02-03"][type];
    assert.deepEqual(newer, {
      id: chat.message.id,
      chat: {
        id: chat.id,
        health_status: chat.health_status,
        is_group: false,
        owner_handle: chat.handles[0],
      },
      direction: "outbound",
      sender_handle: chat.handles[0],
      service: "iMessage",
      parts: [{ type: "text", value: "Hello 😀" }],
      effect: null,
      reply_to: null,
      idempotency_key: null,
      preferred_service: null,
      sent_at: stored.sent_at,
      delivered_at: isDelivered ? stored.delivered_at : null,
      read_at: null,
    });
    const older = found["2025-01-01"][type];
    const { message, ...rest } = older;
    assert.deepEqual(rest, {
      chat_id: chat.id,
      is_group: false,
      service: "iMessage",
      from: line,
      from_handle: chat.handles[0],
      is_from_me: true,
      idempotency_key: null,
      preferred_service: null,
      received_at: null,
      recipient_handle: null,
      recipient_phone: null,
      ...(isDelivered ? { message_id: chat.message.id, delivered_at: stored.delivered_at } : {}),
    });
    assert.deepEqual(message, {
      id: chat.message.id,
      created_at: chat.message.created_at,
      updated_at: message.updated_at,
      sent_at: stored.sent_at,
      delivered_at: newer.delivered_at,
      read_at: null,
      is_delivered: isDelivered,
      is_read: false,
      parts: newer.parts,
      effect: null,
      reply_to: null,
    });
  }
});

test("a message with everything in it, that is read, is told of with everything", limit, async () => {
  const uploaded = await upload(server);
  const person = "+12025550777";
  const { message: first, ...chat } = await newChat(server, { to: [person], message: { parts: [media(uploaded)] } });
  await told(chat.id, ["chat.created", "message.sent", "message.delivered", "message.read"]);
  receiver.deliveries.length = 0;
  const extras = {
    effect: { type: "screen", name: "confetti" },
    reply_to: { message_id: first.id, part_index: 0 },
    idempotency_key: "key-1",
    preferred_service: "iMessage",
  };
  const decorations = [{ range: [0, 4], style: "bold" }];
  const parts = [{ ...text("Look at https://example.com"), text_decorations: decorations }, media(uploaded)];
  const sent = jsonOf(await sendInto(server, chat.id, parts, extras)).message;
  const types = ["message.sent", "message.delivered", "message.read"];
  const found = await told(chat.id, types);
  const stored = await client.messages.retrieve(sent.id);
  const wanted = [
    { type: "text", value: "Look at https://example.com", text_decorations: decorations },
    {
      type: "media",
      id: uploaded.attachment_id,
      url: uploaded.download_url,
      filename: "photo.jpg",
      mime_type: "image/jpeg",
      size_bytes: photo.length,
    },
  ];
  for (const type of types) {
    const newer = found["2026-02-03"][type];
    const older = found["2025-01-01"][type];
    assert.equal(newer.id, sent.id);
    assert.equal(older.message.id, sent.id);
    assert.deepEqual([newer.service, older.service], ["iMessage", "iMessage"]);
    for (const [name, value] of Object.entries(extras)) {
      assert.deepEqual(newer[name], value, name);
      const place = ["effect", "reply_to"].includes(name) ? older.message : older;
      assert.deepEqual(place[name], value, name);
    }
    for (const data of [newer, older.message]) assert.deepEqual(data.parts, wanted);
  }
  const read = found["2025-01-01"]["message.read"];
  assert.deepEqual([read.message_id, read.read_at], [sent.id, stored.read_at]);
  assert.equal(read.message.delivered_at, stored.delivered_at);
  assert.equal(found["2026-02-03"]["message.read"].read_at, stored.read_at);
});

test("a link is told of as such, and a group as a group", limit, async () => {
  const sent = await client.messages.create({
    to: [nextPerson(), "ann@example.com"],
    message: { parts: [{ type: "link", value: "https://example.com/" }] },
  });
  const types = ["chat.created", "message.sent", "message.delivered"];
  const found = await told(sent.chat_id, types);
  const newer = found["2026-02-03"]["message.sent"];
  assert.deepEqual(newer.parts, [{ type: "link", value: "https://example.com/" }]);
  assert.equal(newer.chat.is_group, true);
  assert.equal(found["2025-01-01"]["message.sent"].is_group, true);
  assert.equal(found["2025-01-01"]["chat.created"].handles.length, 3);
});

test("a message that comes in is told of with its sender and its files", limit, async () => {
  const person = nextPerson();
  const files = [{ bytes: photo, name: "photo.jpg", type: "image/jpeg" }];
  const stored = await (await receive(server, { line, from: person, text: "hi" }, files)).json();
  const found = await told(stored.chat_id, ["chat.created", "message.received"]);
  const [owner, sender] = (await client.chats.retrieve(stored.chat_id)).handles;
  const message = await client.messages.retrieve(stored.message_id);
  const newer = found["2026-02-03"]["message.received"];
  assert.equal(newer.id, stored.message_id);
  assert.deepEqual([newer.chat.owner_handle, newer.sender_handle], [owner, sender]);
  assert.equal(newer.sent_at, message.sent_at);
  const parts = message.parts.map(({ reactions, mention, mention_range, text_decorations, ...part }) => part);
  assert.deepEqual(newer.parts, parts);
  assert.deepEqual(newer.parts, stored.parts);
  const older = found["2025-01-01"]["message.received"];
  assert.deepEqual([older.from, older.from_handle, older.recipient_handle], [person, sender, owner]);
  assert.equal(older.received_at, older.message.sent_at);
  assert.deepEqual(older.message.parts, parts);
});

test("a message that fails is told of with its code, and is never sent", limit, async () => {
  for (const [person, errorCode] of [["+12025550401", 4001], ["+12025550405", 4005]]) {
    const chat = await newChat(server, { to: [person] });
    const found = await told(chat.id, ["chat.created", "message.failed"]);
    for (const { "message.failed": data } of Object.values(found)) {
      assert.deepEqual(
        [data.code, data.chat_id, data.message_id, data.service, data.preferred_service],
        [errorCode, chat.id, chat.message.id, "iMessage", null],
      );
    }
  }
});

test("a first message that is refused, or sent again under its key, tells nobody", limit, async () => {
  const to = [nextPerson()];
  const message = { parts: [text("x")], idempotency_key: "told-once" };
  await createChat(server, { to, message: { parts: [text("")] } });
  const chats = await Promise.all(Array.from({ length: 5 }, () => newChat(server, { to, message })));
  await told(chats[0].id, ["chat.created", "message.sent", "message.delivered"]);
});

test("a subscription hears of its own lines and events only, and while it is active", limit, async () => {
  const mine = await subscribe("/other-line", { phone_numbers: [otherLine] });
  const reads = await subscribe("/read-only", { subscribed_events: ["message.read"] });
  const idle = await subscribe("/idle");
  await client.webhookSubscriptions.update(idle.id, { is_active: false });
  const gone = await subscribe("/gone");
  await client.webhookSubscriptions.delete(gone.id);
  const at = (path) => receiver.deliveries.filter(({ url }) => url === path);
  const heard = (path) => at(path).map(({ json }) => json.event_type).sort();

  const chat = await newChat(server, { to: [otherLine] });
  await told(chat.id, ["chat.created", "message.sent", "message.delivered"]);
  await until(() => at("/other-line").length >= 2, { what: "what the other line received" });
  const fromOther = await newChat(server, { from: otherLine });
  await told(fromOther.id, ["chat.created", "message.sent", "message.delivered"]);
  await until(() => at("/other-line").length >= 5, { what: "what the other line sent" });
  assert.deepEqual(heard("/other-line"), [
    "chat.created", "chat.created", "message.delivered", "message.received", "message.sent"]);
  for (const delivery of at("/other-line")) assertSigned(delivery, mine.signing_secret, mine.id);
  for (const path of ["/read-only", "/idle", "/gone"]) assert.deepEqual(heard(path), []);
  await client.webhookSubscriptions.update(reads.id, { subscribed_events: ["message.sent"] });
  await client.webhookSubscriptions.update(idle.id, { is_active: true });
  const again = await newChat(server);
  await told(again.id, ["chat.created", "message.sent", "message.delivered"]);
  await until(() => at("/idle").length >= 3 && at("/read-only").length >= 1, { what: "new events" });
  assert.deepEqual(heard("/read-only"), ["message.sent"]);
});

test("the SDK takes a delivery apart, and the version follows the date in the target", limit, async () => {
  const made = {};
  for (const [path, version] of [
    ["/v?version=2024-06-01", "2025-01-01"],
    ["/v?version=2026-02-02", "2025-01-01"],
    ["/v?version=2026-02-03", "2026-02-03"],
    ["/v?version=2030-01-01", "2026-02-03"],
    ["/v?version=nonsense", "2026-02-03"],
    ["/v?x=1&version=2025-01-01&y=2", "2025-01-01"],
  ]) {
    made[path] = { version, ...(await subscribe(path, { subscribed_events: ["message.sent"] })) };
  }
  const chat = await newChat(server);
  const arrived = () => receiver.deliveries.filter(({ url, json }) => url in made && chatOf(json) === chat.id);
  await until(() => arrived().length === Object.keys(made).length, { what: "a delivery to each" });
  for (const { url, body, headers, json } of arrived()) {
    assert.equal(json.webhook_version, made[url].version, url);
    const unwrapped = sdk(server, { webhookSecret: made[url].signing_secret }).webhooks.unwrap(body, {
      headers, key: made[url].signing_secret });
    assert.deepEqual(unwrapped, json);
  }
});
