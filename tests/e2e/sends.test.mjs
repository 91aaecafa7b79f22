// Sending: into chats and without a line, what a part may be, fates, the limit on one recipient.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  createChat, line, media, newChat, nextPerson, otherLine, reaches, recording, sdk, sendInto, text,
  unknownId, upload,
} from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { assertError, jsonOf } from "./support/partner_api.mjs";
import { satchelJson } from "./support/program.mjs";
import { assertShape, linkShape, sentFromAnyShape, sentMessageShape, textShape } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 60_000 };
const server = await startDev({ after });
const client = sdk(server);

test("a send into a chat answers with the message that is on its way", limit, async () => {
  const chat = await newChat(server);
  const sent = await client.chats.messages.send(chat.id, {
    message: {
      parts: [{ ...text("Hello 😀"), text_decorations: [{ range: [6, 8], animation: "shake" }] }],
      effect: { type: "bubble", name: "slam" },
      preferred_service: "SMS",
      reply_to: { message_id: chat.message.id },
    },
  });
  assertShape({ ...sent }, { chat_id: chat.id, message: sentMessageShape });
  const { message } = sent;
  assertShape(message.parts, [textShape]);
  assert.deepEqual(message.parts[0].text_decorations, [{ range: [6, 8], animation: "shake" }]);
  assert.deepEqual(message.effect, { type: "bubble", name: "slam" });
  assert.deepEqual(message.reply_to, { message_id: chat.message.id, part_index: 0 });
  assert.equal(message.preferred_service, "SMS");
  assert.equal(message.service, "SMS");

  const plain = (await client.chats.messages.send(chat.id, { message: { parts: [text("x")] } })).message;
  assert.deepEqual(
    [plain.effect, plain.reply_to, plain.preferred_service, plain.parts[0].text_decorations],
    [null, null, null, null],
  );
  const link = { type: "link", value: "https://example.com/a?b=c" };
  const linked = (await client.chats.messages.send(chat.id, { message: { parts: [link] } })).message;
  assertShape(linked.parts, [linkShape]);
  assert.equal(linked.parts[0].value, link.value);
});

test("nothing is sent unless every part is right", limit, async () => {
  const chat = await newChat(server);
  const good = await upload(server);
  const pending = await server.api.create({ filename: "a.txt", size: 3 });
  const program = Buffer.concat([Buffer.from("MZ"), Buffer.alloc(100)]);
  const forbidden = await upload(server, program, "a.txt", "text/plain");
  const decorated = (...decorations) => ({ ...text("abcd"), text_decorations: decorations });
  const wrong = [
    [[], 400, 1004],
    [null, 400, 1001],
    ["text", 400, 1003],
    [[7], 400, 1003],
    [[text("")], 400, 1004],
    [[text("x".repeat(10_001))], 400, 1004],
    [[text(7)], 400, 1003],
    [[{ type: "text" }], 400, 1001],
    [[text("a"), text("b")], 400, 1004],
    [[{ type: "media" }], 400, 1004],
    [[{ ...media(good), url: "https://example.com/a.jpg" }], 400, 1004],
    [[{ type: "media", url: "ftp://example.com/a.jpg" }], 400, 1005],
    [[{ type: "media", url: `https://example.com/${"a".repeat(2029)}` }], 400, 1005],
    [[{ type: "media", attachment_id: "nonsense" }], 400, 1005],
    [[{ type: "media", attachment_id: unknownId }], 404, 2003],
    [[media(good), media(pending)], 404, 2007],
    [[media(good), media(forbidden)], 400, 5004],
    [[{ type: "nonsense" }], 400, 1004],
    [[{ value: "x" }], 400, 1001],
    [[{ type: "link", value: "example.com" }], 400, 1004],
    [[{ type: "link", value: `https://example.com/${"a".repeat(2029)}` }], 400, 1004],
    [[{ type: "link", value: "https://example.com" }, text("x")], 400, 1004],
    [Array.from({ length: 101 }, () => media(good)), 400, 1004],
    [[media({ attachment_id: unknownId }), text("")], 400, 1004],
    [[decorated({ range: [0, 5], style: "bold" })], 400, 1004],
    [[decorated({ range: [2, 2], style: "bold" })], 400, 1004],
    [[decorated({ range: [0, 1] })], 400, 1004],
    [[decorated({ range: [0, 1], style: "bold", animation: "big" })], 400, 1004],
    [[decorated({ range: [0, 1], style: "huge" })], 400, 1004],
    [[decorated({ range: [0, 2], style: "bold" }, { range: [1, 3], animation: "nod" })], 400, 1004],
    [[{ ...text("x"), mention: nextPerson(), mention_range: [0, 1] }], 409, 2023],
  ];
  for (const [parts, status, errorCode] of wrong) {
    assertError(await sendInto(server, chat.id, parts), status, errorCode);
  }
  const after = [
    [{ effect: { type: "screen", name: "slam" } }, 400, 1005],
    [{ effect: { name: "slam" } }, 400, 1001],
    [{ effect: "slam" }, 400, 1003],
    [{ reply_to: { message_id: "nonsense" } }, 400, 1005],
    [{ reply_to: { message_id: chat.message.id, part_index: -1 } }, 400, 1005],
    [{ reply_to: { message_id: chat.message.id, part_index: 1 } }, 400, 1004],
    [{ reply_to: {} }, 400, 1001],
    [{ reply_to: { message_id: unknownId } }, 404, 2002],
    [{ preferred_service: "imessage" }, 400, 1005],
    [{ idempotency_key: "k".repeat(256) }, 400, 1005],
    [{ idempotency_key: 7 }, 400, 1003],
  ];
  for (const [change, status, errorCode] of after) {
    assertError(await sendInto(server, chat.id, [text("x")], change), status, errorCode);
  }
  const page = jsonOf(await server.api.call("GET", `/v3/chats/${chat.id}/messages`));
  assert.deepEqual(page.messages.map(({ id }) => id), [chat.message.id]);
});

test("what is just within the limits is sent", limit, async () => {
  const chat = await newChat(server, { to: [nextPerson(), nextPerson()] });
  const good = await upload(server);
  const sent = async (parts, extra) => {
    const answer = await sendInto(server, chat.id, parts, extra);
    assert.equal(answer.status, 202, String(answer.body));
    return jsonOf(answer).message;
  };
  assert.equal((await sent(Array.from({ length: 100 }, () => media(good)))).parts.length, 100);
  const long = "😀".repeat(10_000);
  assert.equal((await sent([text(long)])).parts[0].value, long);
  await sent([text("a"), media(good), text("b")]);
  await sent([text("x")], { idempotency_key: "ü".repeat(255) });
  await sent([{ type: "link", value: `https://example.com/${"a".repeat(2028)}` }]);
  await sent([{ ...text("abcd"), text_decorations: [
    { range: [0, 4], style: "bold" }, { range: [1, 3], style: "italic" },
  ] }]);
  const ignored = { ...media(good), mime_type: "image/png", filename: "x.png", unheard_of: 1 };
  const [part] = (await sent([ignored])).parts;
  assert.deepEqual([part.mime_type, part.filename], ["image/jpeg", "photo.jpg"]);

  const body = (bytes) =>
    `{"message":{"parts":[{"type":"text","value":"x"}]},"ignored":"${"x".repeat(bytes)}"}`;
  const post = (bytes) => server.api.call("POST", `/v3/chats/${chat.id}/messages`, { body: body(bytes) });
  assert.equal((await post(4 * 1024 * 1024 - 100)).status, 202);
  assertError(await post(4 * 1024 * 1024), 413, 1003);
});

test("a chat that is not there, or no id, gets no message", limit, async () => {
  assertError(await sendInto(server, unknownId, [text("x")]), 404, 2001);
  assertError(await sendInto(server, "nonsense", [text("x")]), 400, 1005);
  // Syntax comes before what is there: contract section 7.3.
  assertError(await sendInto(server, unknownId, [text("")]), 400, 1004);
  const { id } = await newChat(server);
  for (const [body, errorCode] of [["", 1003], ["[]", 1003], ["{}", 1001], ['{"message":[]}', 1003]]) {
    assertError(await server.api.call("POST", `/v3/chats/${id}/messages`, { body }), 400, errorCode);
  }
});

test("a send without a line goes out from the chat that was used last", limit, async () => {
  const person = nextPerson();
  const to = [person];
  const chat = await newChat(server, { from: otherLine, to });
  const reused = await client.messages.create({ to, message: { parts: [text("again")] } });
  assertShape({ ...reused }, sentFromAnyShape);
  assert.equal(reused.chat_id, chat.id);
  assert.equal(reused.from, otherLine);
  assert.equal(reused.created_new_chat, false);
  assert.deepEqual(reused.from_selection, {
    reason: "reused_active_chat",
    reused_existing_chat: true,
  });
  assert.deepEqual(reused.handles, chat.handles);
  const fresh = await client.messages.create({
    to: [nextPerson(), "bob@example.com"],
    message: { parts: [{ type: "link", value: "https://example.com/" }] },
  });
  assertShape({ ...fresh }, sentFromAnyShape);
  assert.equal(fresh.created_new_chat, true);
  assert.equal(fresh.is_group, true);
  assert.deepEqual(fresh.from_selection, { reason: "new_best_number", reused_existing_chat: false });
  const elsewhere = await client.messages.create({
    to, message: { parts: [text("x")] }, exclude_from: [otherLine],
  });
  assert.equal(elsewhere.from, line);
  assert.notEqual(elsewhere.chat_id, chat.id);
});

test("a send without a line is refused as any other", limit, async () => {
  const to = [nextPerson()];
  const message = { parts: [text("x")] };
  const send = (body) => server.api.call("POST", "/v3/messages", { body });
  for (const [body, status, errorCode] of [
    [{ message }, 400, 1001],
    [{ to }, 400, 1001],
    [{ to: [], message }, 400, 1005],
    [{ to: ["1"], message }, 400, 1002],
    [{ to: Array.from({ length: 32 }, nextPerson), message }, 400, 1005],
    [{ to, message: { parts: [] } }, 400, 1004],
    [{ to, message, exclude_from: line }, 400, 1003],
    [{ to, message: { parts: [media({ attachment_id: unknownId })] } }, 404, 2003],
  ]) {
    assertError(await send(body), status, errorCode);
  }
  const none = await send({ to, message, exclude_from: [line, otherLine] });
  assertError(none, 409, 2027);
  assert.equal(none.headers["x-should-retry"], "false");
});

test("a recipient's last digits choose the fate of what it is sent", limit, async () => {
  for (const [to, status] of [
    ["+15551230401", "failed"],
    ["+15551230405", "failed"],
    ["+15551230499", "queued"],
    ["+15551230777", "read"],
  ]) {
    const chat = await newChat(server, { to: [to] });
    const message = await reaches(client, chat.message.id, status);
    const isRead = status === "read";
    assert.equal(message.is_read, isRead);
    assert.equal(message.is_delivered, isRead);
    for (const name of ["sent_at", "delivered_at", "read_at"]) {
      assert.equal(message[name] !== null, isRead, `${to}: ${name}`);
    }
  }
});

test("a sender may write to one recipient thirty times a minute", limit, async (t) => {
  const clocked = await startDev(t, { args: ["--test-clock"] });
  const [person, nobodyElse] = [nextPerson(), nextPerson()];
  const chat = await newChat(clocked, { to: [person] });
  assertError(await sendInto(clocked, chat.id, []), 400, 1004); // Does not count.
  for (let i = 0; i < 29; i += 1) {
    assert.equal((await sendInto(clocked, chat.id, [text("x")])).status, 202);
  }
  const memo = await upload(clocked, recording, "memo.mp3", "audio/mpeg");
  for (const refused of [
    await sendInto(clocked, chat.id, [text("x")]),
    await createChat(clocked, { to: [person] }),
    await clocked.api.call("POST", `/v3/chats/${chat.id}/voicememo`, {
      body: { attachment_id: memo.attachment_id },
    }),
  ]) {
    const { error } = assertError(refused, 429, 1007);
    assert.equal(String(error.retry_after), refused.headers["retry-after"]);
    assert.ok(error.retry_after >= 1 && error.retry_after <= 60);
  }
  await newChat(clocked, { to: [nobodyElse] });
  await newChat(clocked, { from: otherLine, to: [person] });
  await clocked.advanceClock(60);
  await newChat(clocked, { to: [person] });
});

test("an app clip or an experience, which are not offered, are refused as such", limit, async () => {
  const chat = await newChat(server);
  const clip = { type: "app_clip", value: "https://example.com/" };
  assertError(await sendInto(server, chat.id, [clip]), 403, 2011);
  const body = { message: { experience: { name: "x", action: "y" } } };
  assertError(await server.api.call("POST", `/v3/chats/${chat.id}/messages`, { body }), 403, 2011);
});

test("a chat of a line that was taken away sends no more", limit, async (t) => {
  const own = await startDev(t);
  const chat = await newChat(own);
  const memo = await upload(own, recording, "memo.mp3", "audio/mpeg");
  await satchelJson(["line", "remove", line, "--data", own.folder]);
  assert.equal((await own.api.call("GET", `/v3/chats/${chat.id}`)).status, 200);
  const voiceMemo = own.api.call("POST", `/v3/chats/${chat.id}/voicememo`, {
    body: { attachment_id: memo.attachment_id } });
  for (const answer of [await sendInto(own, chat.id, [text("x")]), await voiceMemo]) {
    assertError(answer, 403, 2027);
  }
});

test("a message by SMS is sent, never delivered; one by RCS is never read", limit, async (t) => {
  const receiver = await WebhookReceiver.start(t);
  await client.webhookSubscriptions.create({
    target_url: `${receiver.origin}/`,
    subscribed_events: ["message.sent", "message.delivered", "message.read"],
  });
  const by = (service, to) => newChat(server, {
    to: [to], message: { parts: [text("x")], preferred_service: service } });
  const sms = await by("SMS", nextPerson());
  const rcs = await by("RCS", "+12025550777");
  const last = await newChat(server);
  const about = (chat) => receiver.deliveries.map(({ json }) => json)
    .filter(({ data }) => data.chat.id === chat.id).map((json) => json.event_type).sort();
  await until(() => about(last).length === 2, { what: "the last message's events" });
  await until(() => about(rcs).length >= 2, { what: "the RCS message's events" });
  assert.deepEqual(about(sms), ["message.sent"]);
  assert.deepEqual(about(rcs), ["message.delivered", "message.sent"]);
});
