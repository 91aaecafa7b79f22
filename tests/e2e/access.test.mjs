// Who may call what: keys, other partners' things, wrong methods, calls that are not offered; and
// the lines that a partner has.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  code, line, media, mediaUrl, newChat, otherLine, photo, recording, sdk, text, unknownId, upload,
} from "./support/messaging.mjs";
import { PartnerApi, assertError, jsonOf } from "./support/partner_api.mjs";
import { satchelJson } from "./support/program.mjs";
import { aBool, aString, aUrl, anId, assertShape, listOf, nullOr, oneOf } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const server = await startDev({ after });
const client = sdk(server);
const atServer = ["--data", server.folder];

// path: what answers there, of contract section 9 groups A and B
const calls = {
  "/v3/attachments": ["POST"],
  [`/v3/attachments/${unknownId}`]: ["GET", "DELETE"],
  "/v3/chats": ["POST", "GET"],
  [`/v3/chats/${unknownId}`]: ["GET"],
  [`/v3/chats/${unknownId}/messages`]: ["POST", "GET"],
  [`/v3/chats/${unknownId}/voicememo`]: ["POST"],
  "/v3/messages": ["POST"],
  [`/v3/messages/${unknownId}`]: ["GET", "DELETE"],
  [`/v3/messages/${unknownId}/thread`]: ["GET"],
  "/v3/webhook-subscriptions": ["POST", "GET"],
  [`/v3/webhook-subscriptions/${unknownId}`]: ["GET", "PUT", "DELETE"],
  "/v3/webhook-events": ["GET"],
  "/v3/phone_numbers": ["GET"],
  "/v3/phonenumbers": ["GET"],
};

test("no call answers without a key, whatever else is wrong with it", limit, async () => {
  const second = await satchelJson(["partner", "add", "brief", ...atServer]);
  await satchelJson(["key", "revoke", second.api_key_id, ...atServer]);
  for (const key of [undefined, "wrong", second.api_key]) {
    const api = new PartnerApi(server.baseUrl, key);
    for (const [path, methods] of Object.entries(calls)) {
      for (const method of [...methods, "PATCH"]) {
        assertError(await api.call(method, path.replace(unknownId, "nonsense")), 401, 2004);
      }
    }
  }
  await assert.rejects(sdk({ ...server, baseUrl: server.baseUrl, key: "wrong" }).chats.listChats(), code(2004));
});

test("a wrong method is told which ones are right", limit, async () => {
  for (const [path, methods] of Object.entries(calls)) {
    const answer = await server.api.call("OPTIONS", path);
    assertError(answer, 405, 1005);
    const allowed = answer.headers.allow.split(", ");
    for (const method of methods) assert.ok(allowed.includes(method), `${path}: ${allowed}`);
  }
});

test("both bases serve the API, and nothing else does", limit, async () => {
  const plain = new PartnerApi(server.origin, server.key);
  for (const path of ["/v3/chats", "/v3/phone_numbers", "/v3/webhook-events"]) {
    const below = await server.api.call("GET", path);
    assert.equal(String((await plain.call("GET", path)).body), String(below.body));
  }
  for (const path of ["/v3", "/v3/", "/v3/chats/", "/v3/nonsense", "/v4/chats", "/chats", "/v3/Chats"]) {
    assertError(await server.api.call("GET", path), 404, 2001);
  }
});

test("calls that are not offered say so", limit, async () => {
  assertError(await server.api.call("POST", `/v3/chats/${unknownId}/polls`, { body: {} }), 403, 2011);
  assertError(await server.api.call("GET", "/v3/payments/handles/x/connection"), 403, 2011);
  assertError(await server.api.call("GET", "/v3/experiences"), 403, 2011);
});

test("another partner's things look exactly like unknown ones", limit, async () => {
  const second = await satchelJson(["partner", "add", "second", ...atServer]);
  const stranger = new PartnerApi(server.baseUrl, second.api_key);
  const mine = await newChat(server);
  const file = await upload(server);
  const memo = await upload(server, recording, "memo.mp3", "audio/mpeg");
  const hook = await client.webhookSubscriptions.create({
    target_url: "https://app.example.com/", subscribed_events: ["message.sent"] });
  const secondLine = "+15550100009";
  await satchelJson(["line", "add", second.partner_id, secondLine, ...atServer]);
  const theirs = await newChat({ api: stranger }, { from: secondLine });

  const answered = async (method, path, body) => {
    const answer = await stranger.call(method, path, { body });
    const { trace_id: _, ...rest } = assertError(answer, 404, JSON.parse(answer.body).error.code);
    return rest;
  };
  const hello = { message: { parts: [text("x")] } };
  const into = (parts) => ({ message: { parts } });
  const send = ["POST", `/v3/chats/${theirs.id}/messages`];
  for (const [method, path, body, own, errorCode] of [
    ["GET", "/v3/chats/ID", undefined, mine.id, 2001],
    ["GET", "/v3/chats/ID/messages", undefined, mine.id, 2001],
    ["POST", "/v3/chats/ID/messages", hello, mine.id, 2001],
    ["POST", "/v3/chats/ID/voicememo", { attachment_id: unknownId }, mine.id, 2001],
    ["GET", "/v3/messages/ID", undefined, mine.message.id, 2002],
    ["GET", "/v3/messages/ID/thread", undefined, mine.message.id, 2002],
    ["DELETE", "/v3/messages/ID", undefined, mine.message.id, 2002],
    ["GET", "/v3/webhook-subscriptions/ID", undefined, hook.id, 2010],
    ["PUT", "/v3/webhook-subscriptions/ID", { is_active: false }, hook.id, 2010],
    ["DELETE", "/v3/webhook-subscriptions/ID", undefined, hook.id, 2010],
    ["GET", "/v3/attachments/ID", undefined, file.attachment_id, 2003],
    ["DELETE", "/v3/attachments/ID", undefined, file.attachment_id, 2003],
    [...send, into([media({ attachment_id: "ID" })]), file.attachment_id, 2003],
    [...send, into([mediaUrl(file.download_url.replace(file.attachment_id, "ID"))]), file.attachment_id, 2003],
    [...send, { message: { ...hello.message, reply_to: { message_id: "ID" } } }, mine.message.id, 2002],
    ["POST", `/v3/chats/${theirs.id}/voicememo`, { attachment_id: "ID" }, memo.attachment_id, 2003],
  ]) {
    const at = (id) => [path.replace("ID", id), body && JSON.parse(JSON.stringify(body).replace("ID", id))];
    const foreign = await answered(method, ...at(own));
    assert.deepEqual(foreign, await answered(method, ...at(unknownId)), `${method} ${path}`);
    assert.equal(foreign.error.code, errorCode, `${method} ${path}`);
  }
  assertError(await stranger.call("POST", "/v3/chats", {
    body: { from: line, to: ["+15551234567"], ...hello } }), 403, 2006);
  assert.deepEqual(jsonOf(await stranger.call("GET", "/v3/webhook-subscriptions")).subscriptions, []);
  assert.deepEqual(jsonOf(await stranger.call("GET", "/v3/chats")).chats.map(({ id }) => id), [theirs.id]);
  const byLine = `/v3/chats?from=${encodeURIComponent(line)}`;
  assert.deepEqual(jsonOf(await stranger.call("GET", byLine)).chats, []);

  assert.equal((await client.messages.retrieve(mine.message.id)).id, mine.message.id);
  assert.equal((await client.webhookSubscriptions.retrieve(hook.id)).is_active, true);
  assert.equal((await client.attachments.retrieve(file.attachment_id)).size_bytes, photo.length);
});

test("phone numbers are the partner's lines, by both paths", limit, async () => {
  const answer = await client.phoneNumbers.list();
  const reputation = { status: oneOf("HEALTHY", "AT_RISK", "CRITICAL"), doc_url: aUrl };
  assertShape({ ...answer }, {
    phone_numbers: listOf({
      id: anId,
      phone_number: aString,
      reputation,
      health_status: reputation,
      forwarding_number: nullOr(aString),
    }),
  });
  const numbers = answer.phone_numbers;
  assert.deepEqual(numbers.map((each) => each.phone_number), [line, otherLine]);
  const old = await client.phonenumbers.list();
  assertShape({ ...old }, {
    phone_numbers: listOf({
      id: anId,
      phone_number: aString,
      capabilities: { sms: aBool, mms: aBool, voice: aBool },
      country_code: nullOr(aString),
      type: nullOr(aString),
    }),
  });
  assert.deepEqual(old.phone_numbers.map(({ id }) => id), numbers.map(({ id }) => id));

  const none = await satchelJson(["partner", "add", "without lines", ...atServer]);
  const api = new PartnerApi(server.baseUrl, none.api_key);
  for (const path of ["/v3/phone_numbers", "/v3/phonenumbers"]) {
    assert.deepEqual(jsonOf(await api.call("GET", path)), { phone_numbers: [] });
  }
  const body = { to: ["+15551234567"], message: { parts: [text("x")] } };
  assertError(await api.call("POST", "/v3/messages", { body }), 409, 2027);
});
