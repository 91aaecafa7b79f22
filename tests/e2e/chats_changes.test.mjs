// What changes a chat: name, icon, participants, reading, typing, leaving.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { assertError } from "./support/partner_api.mjs";
import { firstMessage, heard, listen, refusal, sdkOf } from "./support/partner_client.mjs";
import { drawing, jpeg } from "./support/pictures.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const line = "+15550100001";
const otherLine = "+15550100002";
const ann = "+15551230001";
const ben = "+15551230002";
const cat = "cat@example.com";
const unknownId = "00000000-0000-4000-8000-000000000000";
const photo = jpeg(drawing(320, 240));

async function makeChat(client, to, from = line) {
  return (await client.chats.create({ from, to, message: firstMessage() })).chat;
}

const statusOf = (chat, handle) => chat.handles.find((each) => each.handle === handle)?.status;

// The chat in which `from` sees what this line wrote, once it is there.
function viewOf(client, from, to) {
  return until(
    async () => (await client.chats.listChats({ from, to })).chats.at(0),
    { what: `a chat of ${from}`, deadlineMs: 20_000 },
  );
}

test("a group is renamed: subscribers hear of it, and no send finds it by its members", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["chat.group_name_updated"]);
  const chat = await makeChat(client, [ann, ben]);
  const name = "Dream Team \u{1F389}";
  assert.deepEqual({ ...(await client.chats.update(chat.id, { display_name: name })) },
    { chat_id: chat.id, status: "accepted" });
  assert.equal((await client.chats.retrieve(chat.id)).display_name, name);
  const [event] = await heard(receiver, "chat.group_name_updated", chat.id);
  assert.deepEqual(Object.keys(event).sort(),
    ["changed_by_handle", "chat_id", "new_value", "old_value", "updated_at"]);
  assert.equal(event.new_value, name);
  assert.equal(event.old_value, null);
  assert.equal(event.changed_by_handle.handle, line);

  const another = await makeChat(client, [ann, ben]);
  assert.notEqual(another.id, chat.id);
  await client.chats.messages.send(chat.id, { message: firstMessage("still here") });

  await client.chats.update(chat.id, { display_name: name });
  await client.chats.update(chat.id, { display_name: "" });
  const events = await heard(receiver, "chat.group_name_updated", chat.id, 2);
  assert.deepEqual(events.map((each) => [each.old_value, each.new_value]),
    [[null, name], [name, null]], "the same name again is no change");
  assert.equal((await client.chats.retrieve(chat.id)).display_name, `${ann}, ${ben}`);
});

test("a group's icon is an upload of one's own or fetched; it goes with its attachment", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["chat.group_icon_updated"]);
  const chat = await makeChat(client, [ann, ben]);
  const uploaded = await server.api.upload({ filename: "icon.jpg", contentType: "image/jpeg", bytes: photo });
  const icon = async () => (await client.chats.retrieve(chat.id)).group_chat_icon;
  assert.equal(await icon(), null);
  await client.chats.update(chat.id, { group_chat_icon: uploaded.download_url });
  assert.equal(await icon(), uploaded.download_url);

  const origin = createServer((request, response) => {
    if (request.url !== "/icon.jpg") {
      response.writeHead(request.url === "/page.html" ? 200 : 404, { "content-type": "text/html" });
      response.end("<p>no picture</p>");
      return;
    }
    response.writeHead(200, { "content-type": "image/jpeg" }).end(photo);
  });
  await new Promise((resolve) => origin.listen(0, "127.0.0.1", resolve));
  t.after(() => origin.close());
  const base = `http://127.0.0.1:${origin.address().port}`;
  await client.chats.update(chat.id, { group_chat_icon: `${base}/icon.jpg` });
  const fetched = await icon();
  assert.notEqual(fetched, uploaded.download_url);
  assert.ok(Buffer.from(await (await fetch(fetched)).arrayBuffer()).equals(photo));
  const listed = (await client.chats.listChats({ from: line })).chats[0];
  assert.equal(listed.group_chat_icon, fetched);

  const update = (url) => client.chats.update(chat.id, { group_chat_icon: url });
  await assert.rejects(update(`${base}/gone.jpg`), refusal(400, 5007));
  await assert.rejects(update(`${base}/page.html`), refusal(400, 5004));
  await assert.rejects(update("ftp://example.com/a.png"), refusal(400, 1005));
  const note = await server.api.upload({ filename: "a.txt", contentType: "text/plain", bytes: Buffer.from("hi") });
  await assert.rejects(update(note.download_url), refusal(400, 5004));
  await assert.rejects(update(uploaded.download_url.replace(uploaded.attachment_id, unknownId)), refusal(404, 2003));
  assert.equal(await icon(), fetched, "refused changes change nothing");

  const events = await heard(receiver, "chat.group_icon_updated", chat.id, 2);
  assert.deepEqual(events.map((each) => [each.old_value, each.new_value]),
    [[null, uploaded.download_url], [uploaded.download_url, fetched]]);

  await client.attachments.delete(new URL(fetched).pathname.split("/")[4]);
  assert.equal(await icon(), null);
});

test("what an update must be: a group, one field, a name of bounded length", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const direct = await makeChat(client, [ann]);
  const group = await makeChat(client, [ann, ben]);
  await assert.rejects(client.chats.update(direct.id, { display_name: "x" }), refusal(409, 1006));
  await assert.rejects(client.chats.update(group.id, {}), refusal(400, 1001));
  await assert.rejects(client.chats.update(group.id, { display_name: 7 }), refusal(400, 1003));
  await assert.rejects(client.chats.update(group.id, { display_name: "x".repeat(256) }), refusal(400, 1005));
  await assert.rejects(client.chats.update(unknownId, { display_name: "x" }), refusal(404, 2001));
  await assert.rejects(client.chats.update("nonsense", { display_name: "x" }), refusal(400, 1005));
});

test("participants come and go, with events, and the set no longer finds the chat", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["participant.added", "participant.removed"]);
  const chat = await makeChat(client, [ann, ben]);
  const answer = await client.chats.participants.add(chat.id, { handle: cat });
  assert.deepEqual(Object.keys(answer).sort(), ["message", "status", "trace_id"]);
  assert.equal(answer.status, "accepted");
  assert.match(answer.trace_id, /^[0-9a-f]{32}$/);
  const [added] = await heard(receiver, "participant.added", chat.id);
  assert.deepEqual(Object.keys(added).sort(), ["added_at", "chat_id", "handle", "participant"]);
  assert.equal(added.handle, cat);
  assert.equal(added.participant.status, "active");

  await client.chats.participants.remove(chat.id, { handle: ann });
  const [removed] = await heard(receiver, "participant.removed", chat.id);
  assert.deepEqual(Object.keys(removed).sort(), ["chat_id", "handle", "participant", "removed_at"]);
  assert.equal(removed.participant.status, "removed");
  const now = await client.chats.retrieve(chat.id);
  assert.deepEqual([ann, ben, cat].map((each) => statusOf(now, each)), ["removed", "active", "active"]);
  assert.ok(now.handles.find((each) => each.handle === ann).left_at);
  assert.equal(now.display_name, `${ben}, ${cat}`);

  for (const to of [[ann, ben], [ben, cat]]) {
    assert.notEqual((await makeChat(client, to)).id, chat.id);
  }
  await client.chats.participants.add(chat.id, { handle: ann });
  const again = await client.chats.retrieve(chat.id);
  assert.equal(statusOf(again, ann), "active");
  assert.equal(again.handles.length, 4, "who comes back is the same participant");
});

test("who cannot be added or removed", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const { add, remove } = client.chats.participants;
  const direct = await makeChat(client, [ann]);
  const group = await makeChat(client, [ann, ben]);
  const adding = (id, handle) => add.call(client.chats.participants, id, { handle });
  const removing = (id, handle) => remove.call(client.chats.participants, id, { handle });
  await assert.rejects(adding(direct.id, ben), refusal(409, 1006));
  await assert.rejects(removing(direct.id, ann), refusal(409, 1006));
  await assert.rejects(adding(group.id, ann), refusal(409, 2015));
  await assert.rejects(removing(group.id, ann), refusal(409, 2015));
  await assert.rejects(removing(group.id, cat), refusal(409, 2015));
  await assert.rejects(adding(group.id, line), refusal(400, 1005));
  await assert.rejects(adding(group.id, "5551"), refusal(400, 1002));
  await assert.rejects(adding(group.id), refusal(400, 1001));
  await assert.rejects(adding(unknownId, cat), refusal(404, 2001));
  assertError(await server.api.call("DELETE", `/v3/chats/${group.id}/participants`), 400, 1003);
});

test("reading marks what came in, once and for all", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const sent = await makeChat(client, [otherLine]);
  const view = await viewOf(client, otherLine, line);
  const unread = (await client.chats.messages.list(view.id)).messages[0];
  assert.deepEqual([unread.delivery_status, unread.is_read, unread.read_at], ["received", false, null]);
  await client.chats.markAsRead(view.id);
  const read = await client.messages.retrieve(unread.id);
  assert.deepEqual([read.delivery_status, read.is_read], ["read", true]);
  assert.ok(Date.parse(read.read_at) >= Date.parse(read.created_at));
  await client.chats.markAsRead(view.id);
  assert.equal((await client.messages.retrieve(unread.id)).read_at, read.read_at);
  assert.equal((await client.messages.retrieve(sent.message.id)).read_at, null);
  await assert.rejects(client.chats.markAsRead(unknownId), refusal(404, 2001));
});

test("typing is seen by the other line of this server while the chat is lively", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const client = sdkOf(server);
  const types = ["started", "stopped"].map((each) => `chat.typing_indicator.${each}`);
  const receiver = await listen(t, client, types);
  const chat = await makeChat(client, [otherLine]);
  const view = await viewOf(client, otherLine, line);
  await client.chats.typing.start(chat.id);
  await client.chats.typing.stop(chat.id);
  for (const type of types) {
    assert.deepEqual(await heard(receiver, type, view.id), [{ chat_id: view.id }]);
  }
  const alone = await makeChat(client, [ann]);
  await client.chats.typing.start(alone.id);
  await server.advanceClock(301);
  await client.chats.typing.start(chat.id);
  await client.chats.messages.send(chat.id, { message: firstMessage("again") });
  await client.chats.typing.stop(chat.id);
  await heard(receiver, types[1], view.id, 2);
  assert.equal(receiver.deliveries.filter(({ json }) => json.event_type === types[0]).length, 1);
  await assert.rejects(client.chats.typing.start(unknownId), refusal(404, 2001));
  await assert.rejects(client.chats.typing.stop("x"), refusal(400, 1005));
});

test("a line leaves a group of four: nothing can be done there any more, but all can be read", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["participant.removed"]);
  const three = await makeChat(client, [ann, ben]);
  await assert.rejects(client.chats.leaveChat(three.id), refusal(409, 2015));
  const direct = await makeChat(client, [ann]);
  await assert.rejects(client.chats.leaveChat(direct.id), refusal(409, 1006));

  const chat = await makeChat(client, [ann, ben, cat]);
  const answer = await client.chats.leaveChat(chat.id);
  assert.deepEqual([answer.status, Object.keys(answer).sort()], ["accepted", ["message", "status", "trace_id"]]);
  const [event] = await heard(receiver, "participant.removed", chat.id);
  assert.equal(event.handle, line);
  assert.equal(event.participant.is_me, true);
  assert.equal(event.participant.status, "left");

  const gone = refusal(409, 2013);
  await assert.rejects(client.chats.leaveChat(chat.id), gone);
  await assert.rejects(client.chats.messages.send(chat.id, { message: firstMessage() }), gone);
  await assert.rejects(client.chats.update(chat.id, { display_name: "x" }), gone);
  await assert.rejects(client.chats.markAsRead(chat.id), gone);
  await assert.rejects(client.chats.typing.start(chat.id), gone);
  await assert.rejects(client.chats.typing.stop(chat.id), gone);
  await assert.rejects(client.chats.participants.add(chat.id, { handle: "+15551230009" }), gone);
  await assert.rejects(client.chats.participants.remove(chat.id, { handle: ann }), gone);
  await assert.rejects(client.chats.shareContactCard(chat.id), gone);
  await assert.rejects(client.messages.addReaction(chat.message.id, { operation: "add", type: "love" }), gone);
  await assert.rejects(client.messages.update(chat.message.id, { text: "x" }), gone);
  assert.equal(statusOf(await client.chats.retrieve(chat.id), line), "left");
  assert.equal((await client.chats.messages.list(chat.id)).messages.length, 1);
  assert.notEqual((await makeChat(client, [ann, ben, cat])).id, chat.id);
});

test("another line in the group sees who comes and goes, and loses no message for it", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const receiver = await listen(t, client, ["participant.added", "participant.removed"]);
  const chat = await makeChat(client, [otherLine, ann, ben]);
  const view = await viewOf(client, otherLine, line);
  await client.chats.participants.add(chat.id, { handle: cat });
  const [added] = await heard(receiver, "participant.added", view.id);
  assert.equal(added.handle, cat);
  await client.chats.update(view.id, { display_name: "My own name for it" });
  await client.chats.messages.send(chat.id, { message: firstMessage("welcome") });
  await until(
    async () => (await client.chats.messages.list(view.id)).messages[0].parts[0].value === "welcome",
    { what: "the message in the chat it belongs to", deadlineMs: 20_000 },
  );
  await client.chats.leaveChat(view.id);
  const [left] = await heard(receiver, "participant.removed", chat.id);
  assert.deepEqual([left.handle, left.participant.status], [otherLine, "left"]);
  assert.equal(statusOf(await client.chats.retrieve(chat.id), otherLine), "left");
});
