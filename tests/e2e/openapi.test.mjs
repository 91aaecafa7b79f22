// docs/api/openapi.yaml is valid, complete, and true.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Validator } from "@seriousme/openapi-schema-validator";

import {
  createChat, line, media, newChat, nextPerson, otherLine, receive, sdk, sendInto, text, unknownId, upload,
} from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { ApiDocument, DocumentedApi, operationsOf, readDocument, servedRoutes } from "./support/openapi.mjs";
import { PartnerApi, jsonOf } from "./support/partner_api.mjs";
import { startDev } from "./support/server.mjs";
import { mp3, tone } from "./support/sounds_and_films.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 60_000 };
const apiDocument = new ApiDocument();
const { document } = apiDocument;
const server = await startDev({ after }, {
  args: ["--test-clock"], env: { SATCHEL_MEDIA__PREVIEWS: "true" } });
const api = new DocumentedApi(server, apiDocument);
server.api = api; // So that the helpers' calls are held against the document as well.

const apiOperations = operationsOf(document).filter(([, path]) => path.startsWith("/v3"));
const card = (image) => ({
  type: "imessage_app",
  app: { bundle_id: "com.example.chess", name: "Chess", team_id: "ABCDE12345", app_store_id: 42 },
  layout: { caption: "Your move", image_title: "Round 2", image_url: image.download_url },
  fallback_text: "A chess move",
});
// For DELETE, too, whose body Node frames only if its length is given.
const jsonBody = (body) => ({ body, headers: { "content-length": String(JSON.stringify(body).length) } });
const shapeOf = (path) => path.replace(/\{\w+\}/g, "{}");

test("the document is valid OpenAPI 3.1 with operation ids of their own", limit, async () => {
  const { valid, errors } = await new Validator().validate(readDocument());
  assert.ok(valid, JSON.stringify(errors, null, 2));
  const ids = operationsOf(document).map(([, , { operationId }]) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every(Boolean));
});

test("every route of the server is in the document, and nothing else", limit, () => {
  const served = servedRoutes().map(([method, path]) => `${method} ${shapeOf(path)}`);
  assert.ok(served.length >= 42, "the table of routes was read");
  const documented = apiOperations.map(([method, path]) => `${method} ${shapeOf(path)}`);
  assert.deepEqual(documented.sort(), served.sort());
});

test("what Allow tells of each path is what the document tells", limit, async () => {
  const plain = new PartnerApi(server.baseUrl, server.key);
  const methodsOf = {};
  for (const [method, path] of apiOperations) (methodsOf[path] ??= []).push(method);
  for (const [path, methods] of Object.entries(methodsOf)) {
    const answer = await plain.call("OPTIONS", path.replace(/\{\w+\}/g, unknownId));
    assert.equal(answer.status, 405, path);
    assert.deepEqual(answer.headers.allow.split(", ").sort(), methods.sort(), path);
  }
});

test("every example fits its schema", limit, () => {
  let count = 0;
  const walk = (value, pointer) => {
    if (value === null || typeof value !== "object") return;
    for (const [name, each] of Object.entries(value)) {
      const escaped = name.replaceAll("~", "~0").replaceAll("/", "~1");
      if (name === "example" && value.schema) {
        apiDocument.assertMatches(each, `${pointer}/schema`, pointer);
        count += 1;
      } else {
        walk(each, `${pointer}/${escaped}`);
      }
    }
  };
  walk(document, "");
  assert.ok(count > 0);
});

// Each calls what its name says, well; every answer is held against the document.

async function useAttachments() {
  const file = await upload(server);
  const sound = await upload(server, mp3(tone(1)), "memo.mp3", "audio/mpeg");
  const pending = await api.create({ filename: "a.txt", size: 3 });
  await api.get(file.attachment_id);
  await api.get(pending.attachment_id);
  const preview = (id, query) => api.call("GET", `/v3/attachments/${id}/preview${query}`);
  assert.equal((await preview(file.attachment_id, "?width=64")).headers["content-type"], "image/jpeg");
  assert.ok(jsonOf(await preview(sound.attachment_id, "")).peaks.length > 0);
  return { file, sound };
}

async function sendMessages({ file, sound }) {
  const person = nextPerson();
  const decorated = { ...text("Hello"), text_decorations: [{ range: [0, 5], style: "bold" }] };
  const chat = await newChat(server, { to: [person], message: { parts: [decorated, media(file)] } });
  const extras = { effect: { type: "bubble", name: "slam" }, reply_to: { message_id: chat.message.id } };
  const reply = jsonOf(await sendInto(server, chat.id, [text("x")], extras)).message;
  await sendInto(server, chat.id, [{ type: "link", value: "https://example.com/" }]);
  await sendInto(server, chat.id, [card(file)]);
  await api.call("POST", "/v3/messages", {
    body: { to: [person], message: { parts: [text("x")] }, continuation_message: { text: "y" } } });
  const memo = jsonOf(await api.call("POST", `/v3/chats/${chat.id}/voicememo`, {
    body: { attachment_id: sound.attachment_id } }));
  assert.ok(memo.voice_memo.voice_memo.duration_ms >= 900);
  await receive(server, { line, from: person, text: "hi" });
  return { chat, reply };
}

async function changeMessages({ chat, reply }) {
  const react = (body) => api.call("POST", `/v3/messages/${chat.message.id}/reactions`, { body });
  await react({ operation: "add", type: "love" });
  await react({ operation: "add", type: "custom", custom_emoji: "\u{1F389}", part_index: 1 });
  await react({ operation: "add", type: "like" });
  await react({ operation: "remove", type: "like" });
  await api.call("PATCH", `/v3/messages/${reply.id}`, { body: { text: "y" } });
}

async function changeChats({ file }) {
  const [ann, ben, cat] = [nextPerson(), nextPerson(), nextPerson()];
  const mention = { ...text("Hi Ann"), mention: ann, mention_range: [3, 6] };
  const { id } = await newChat(server, { to: [ann, ben], message: { parts: [mention] } });
  const at = (method, path, body) => api.call(method, `/v3/chats/${id}${path}`, body ? jsonBody(body) : {});
  await at("PUT", "", { display_name: "Team", group_chat_icon: file.download_url });
  for (const handle of [cat, nextPerson()]) await at("POST", "/participants", { handle });
  await at("DELETE", "/participants", { handle: cat });
  for (const method of ["POST", "DELETE"]) await at(method, "/typing");
  await at("POST", "/read");
  await at("POST", "/share_contact_card");
  await at("GET", "");
  await at("POST", "/leave");
  assert.equal((await at("POST", "/leave")).status, 409);
}

async function useLines({ file }) {
  const cards = "/v3/contact_card";
  await api.call("POST", cards, { body: {
    phone_number: line, first_name: "Ada", image_url: file.download_url } });
  await api.call("PATCH", `${cards}?phone_number=${encodeURIComponent(line)}`, { body: { last_name: "L." } });
  await api.call("GET", cards);
  assert.equal((await api.call("POST", cards, { body: { phone_number: line, first_name: "x" } })).status, 409);
  const [{ id }] = jsonOf(await api.call("GET", "/v3/phone_numbers")).phone_numbers;
  for (const forwarding_number of ["+12025559999", null]) {
    await api.call("PUT", `/v3/phone_numbers/${id}`, { body: { forwarding_number } });
  }
  const { vcf_url: vcf } = jsonOf(await api.call("GET", "/v3/available_number?to=cat@example.com"));
  apiDocument.assertAnswer("GET", new URL(vcf).pathname, await request(vcf));
  apiDocument.assertAnswer("GET", new URL(vcf).pathname, await request(vcf.split("?")[0]));
  for (const body of [{ handle: "+12025550123", reason: "asked for it" }, { handle: "cat@example.com" }]) {
    await api.call("POST", "/v3/blocked_handles", { body });
  }
  await api.call("GET", "/v3/blocked_handles");
  await api.call("DELETE", "/v3/blocked_handles", jsonBody({ handle: "cat@example.com" }));
}

async function checkCapabilities() {
  const check = (kind, address) => api.call("POST", `/v3/capability/check_${kind}`, { body: { address } });
  const statuses = [];
  for (const [kind, address] of [["imessage", nextPerson()], ["rcs", "+15551230405"]]) {
    statuses.push((await check(kind, address)).status, (await check(kind, address)).status);
    await server.advanceClock(10);
  }
  assert.deepEqual(statuses, [200, 429, 200, 429]);
}

async function listEverything({ chat, reply }) {
  for (const path of [
    "/v3/chats?limit=1", `/v3/chats/${chat.id}`, `/v3/chats/${chat.id}/messages`,
    `/v3/chats/${chat.id}/messages?limit=1`, `/v3/messages/${chat.message.id}`,
    `/v3/messages/${reply.id}/thread?order=desc`, "/v3/phone_numbers", "/v3/phonenumbers",
    "/v3/webhook-subscriptions", "/v3/webhook-events",
  ]) {
    assert.equal((await api.call("GET", path)).status, 200, path);
  }
}

async function subscribe() {
  const hooks = "/v3/webhook-subscriptions";
  const body = { target_url: "https://app.example.com/", subscribed_events: ["message.sent"], phone_numbers: [line] };
  const { id } = jsonOf(await api.call("POST", hooks, { body }));
  await api.call("GET", hooks);
  await api.call("GET", `${hooks}/${id}`);
  await api.call("PUT", `${hooks}/${id}`, { body: { is_active: false, phone_numbers: null } });
  assert.equal((await api.call("DELETE", `${hooks}/${id}`)).status, 204);
}

test("real answers of every call are as documented", limit, async () => {
  const files = await useAttachments();
  const sent = await sendMessages(files);
  await changeMessages(sent);
  await useLines(files);
  await changeChats(files);
  await checkCapabilities();
  await listEverything(sent);
  await subscribe();
  await api.delete(files.file.attachment_id);
  await listEverything(sent);
  await api.call("GET", "/v3/contact_card");
  assert.equal((await api.call("DELETE", `/v3/messages/${sent.reply.id}`)).status, 204);

  for (const [method, path] of apiOperations) {
    const answered = [...apiDocument.seen].some((each) => each.startsWith(`${method} ${path} 2`));
    assert.ok(answered, `${method} ${path} was never answered well: call it above`);
  }
});

async function refuseChanges(chat, file) {
  const group = await newChat(server, { to: [nextPerson(), nextPerson()] });
  const note = await upload(server, Buffer.from("x"), "a.txt", "text/plain");
  const elsewhere = file.download_url.replace(file.attachment_id, unknownId);
  const bare = await startDev({ after });
  const withoutPreviews = new DocumentedApi(bare, apiDocument);
  const reactions = `/v3/messages/${chat.message.id}/reactions`;
  const cards = `/v3/contact_card?phone_number=${encodeURIComponent("+15559999999")}`;
  for (const [status, method, path, body, client = api] of [
    [409, "PUT", `/v3/chats/${chat.id}`, { display_name: "x" }],
    [404, "PUT", `/v3/chats/${group.id}`, { group_chat_icon: elsewhere }],
    [400, "PUT", `/v3/chats/${group.id}`, { group_chat_icon: note.download_url }],
    [409, "POST", `/v3/chats/${chat.id}/participants`, { handle: nextPerson() }],
    [409, "DELETE", `/v3/chats/${group.id}/participants`, { handle: nextPerson() }],
    [409, "POST", `/v3/chats/${chat.id}/leave`],
    [400, "PATCH", `/v3/messages/${chat.message.id}`, { text: "x", part_index: 1 }],
    [409, "PATCH", `/v3/messages/${chat.message.id}`, { text: "x" }],
    [400, "POST", reactions, { operation: "add", type: "sticker" }],
    [403, "POST", "/v3/contact_card", { phone_number: "+15559999999", first_name: "x" }],
    [403, "PATCH", cards, { first_name: "x" }],
    [400, "GET", "/v3/contact_card?phone_number=x"],
    [404, "PUT", `/v3/phone_numbers/${unknownId}`, { forwarding_number: null }],
    [400, "POST", "/v3/blocked_handles", { handle: "5551" }],
    [400, "DELETE", "/v3/blocked_handles", {}],
    [400, "GET", "/v3/available_number?to=x"],
    [409, "GET", `/v3/available_number?exclude_from=${encodeURIComponent(`${line},${otherLine}`)}`],
    [400, "POST", "/v3/capability/check_rcs", { address: "cat@example.com" }],
    [403, "POST", "/v3/capability/check_imessage", { address: nextPerson(), from: "+15559999999" }],
    [400, "GET", `/v3/attachments/${note.attachment_id}/preview`],
    [400, "GET", `/v3/attachments/${file.attachment_id}/preview?width=0`],
    [403, "GET", `/v3/attachments/${unknownId}/preview`, undefined, withoutPreviews],
  ]) {
    if (status === 409 && method === "PATCH") await server.advanceClock(15 * 60 + 1);
    const answer = await client.call(method, path, body ? jsonBody(body) : {});
    assert.equal(answer.status, status, `${method} ${path}: ${answer.body}`);
  }
}

test("real errors of every call are as documented", limit, async () => {
  const nobody = new DocumentedApi(server, apiDocument, "wrong");
  for (const [method, path] of apiOperations) {
    const named = (id) => path.replace(/\{\w+\}/g, id);
    assert.equal((await nobody.call(method, named(unknownId))).status, 401);
    const takesBody = ["POST", "PUT", "PATCH"].includes(method);
    if (path.includes("{")) {
      await api.call(method, named(unknownId), takesBody ? { body: {} } : {});
      await api.call(method, named("nonsense"), takesBody ? { body: {} } : {});
    }
    if (takesBody) {
      for (const body of ["{", {}]) await api.call(method, named(unknownId), { body });
      // Longer than any body may be: the answer is documented, whichever of the faults it names.
      await api.call(method, named(unknownId), { body: `{"x":"${"x".repeat(4 * 1024 * 1024)}"}` });
    }
  }
  for (const path of ["/v3/chats", `/v3/chats/${unknownId}/messages`, `/v3/messages/${unknownId}/thread`]) {
    for (const query of ["limit=0", "cursor=x"]) await api.call("GET", `${path}?${query}`);
  }
  const chat = await newChat(server);
  const file = await upload(server);
  for (const [status, parts, more] of [
    [400, []], [404, [media({ attachment_id: unknownId })]], [403, [{ type: "app_clip" }]],
    [409, [{ ...text("x"), mention: "x" }]], [400, [{ ...card(file), layout: {} }]],
    [409, [card(file)], { preferred_service: "SMS" }],
  ]) {
    assert.equal((await sendInto(server, chat.id, parts, more)).status, status);
  }
  await refuseChanges(chat, file);
  assert.equal((await createChat(server, { from: "+15559999999" })).status, 403);
  const person = nextPerson();
  let status = 201;
  for (let i = 0; i < 31 && status === 201; i += 1) status = (await createChat(server, { to: [person] })).status;
  assert.equal(status, 429);
});

// What others do not see, and what only another line of this server does.
async function changeEverything(file) {
  const client = sdk(server);
  const { id, message } = await newChat(server, { to: [otherLine, nextPerson()] });
  await client.chats.update(id, { display_name: "Team", group_chat_icon: file.download_url });
  const guest = { handle: nextPerson() };
  await client.chats.participants.add(id, guest);
  await client.chats.participants.remove(id, guest);
  const love = { type: "love" };
  await client.messages.addReaction(message.id, { operation: "add", ...love });
  await client.messages.addReaction(message.id, { operation: "remove", ...love });
  await client.messages.update(message.id, { text: "y" });
  const chat = await newChat(server, { to: [otherLine] });
  await until(async () => (await client.chats.listChats({ from: otherLine, to: line })).chats
    .some((each) => !each.is_group), { what: "the other line's chat" });
  await client.chats.typing.start(chat.id);
  await client.chats.typing.stop(chat.id);
}

test("real deliveries are as documented", limit, async (t) => {
  const receiver = await WebhookReceiver.start(t);
  const pointers = {};
  for (const [name, item] of Object.entries(document.webhooks)) {
    const pointer = `/webhooks/${name}/post/requestBody/content/application~1json/schema`;
    const [schema] = apiDocument.resolve(pointer);
    for (const type of schema.properties.event_type.enum) pointers[type] = { pointer, item };
  }
  const types = Object.keys(pointers);
  for (const query of ["", "?version=2025-01-01"]) {
    await sdk(server).webhookSubscriptions.create({
      target_url: `${receiver.origin}/${query}`, subscribed_events: types });
  }
  const file = await upload(server);
  await newChat(server, { to: ["+12025550777"], message: { parts: [text("x"), media(file)] } });
  await newChat(server, { to: ["+12025550777"], message: { parts: [card(file)] } });
  await newChat(server, { to: ["+12025550401"] });
  await receive(server, { line, from: nextPerson(), text: "hi" });
  await changeEverything(file);
  const heard = () => new Set(receiver.deliveries.map(({ url, json }) => `${json.event_type} ${url}`));
  // In both versions, but message.edited.
  const expected = types.flatMap((type) => [`${type} /`, `${type} /?version=2025-01-01`])
    .filter((each) => each !== "message.edited /?version=2025-01-01").sort();
  await until(() => heard().size >= expected.length, { what: "every documented event, in both versions" });
  assert.deepEqual([...heard()].sort(), expected);
  for (const { json, headers } of receiver.deliveries) {
    const { pointer, item } = pointers[json.event_type];
    apiDocument.assertMatches(json, pointer, json.event_type);
    for (const { $ref } of item.post.parameters) {
      const [{ name }] = apiDocument.resolve($ref.slice(1));
      assert.ok(headers[name.toLowerCase()], name);
    }
  }
});
