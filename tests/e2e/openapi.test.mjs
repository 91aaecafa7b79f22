// docs/api/openapi.yaml is valid, complete, and true.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Validator } from "@seriousme/openapi-schema-validator";

import {
  createChat, line, media, newChat, nextPerson, receive, recording, sdk, sendInto, text, unknownId,
  upload,
} from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { ApiDocument, DocumentedApi, operationsOf, readDocument, servedRoutes } from "./support/openapi.mjs";
import { PartnerApi, jsonOf } from "./support/partner_api.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 60_000 };
const apiDocument = new ApiDocument();
const { document } = apiDocument;
const server = await startDev({ after });
const api = new DocumentedApi(server, apiDocument);
server.api = api; // So that the helpers' calls are held against the document as well.

const apiOperations = operationsOf(document).filter(([, path]) => path.startsWith("/v3"));
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
  assert.ok(served.length >= 21, "the table of routes was read");
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

test("real answers of every call are as documented", limit, async () => {
  const file = await upload(server);
  const memo = await upload(server, recording, "memo.mp3", "audio/mpeg");
  const pending = await api.create({ filename: "a.txt", size: 3 });
  await api.get(file.attachment_id);
  await api.get(pending.attachment_id);
  const person = nextPerson();
  const decorated = { ...text("Hello"), text_decorations: [{ range: [0, 5], style: "bold" }] };
  const chat = await newChat(server, { to: [person], message: { parts: [decorated, media(file)] } });
  const extras = { effect: { type: "bubble", name: "slam" }, reply_to: { message_id: chat.message.id } };
  const reply = jsonOf(await sendInto(server, chat.id, [text("x")], extras)).message;
  await sendInto(server, chat.id, [{ type: "link", value: "https://example.com/" }]);
  await api.call("POST", "/v3/messages", { body: { to: [person], message: { parts: [text("x")] } } });
  await api.call("POST", `/v3/chats/${chat.id}/voicememo`, { body: { attachment_id: memo.attachment_id } });
  await receive(server, { line, from: person, text: "hi" });
  await api.delete(file.attachment_id);
  for (const path of [
    "/v3/chats?limit=1", `/v3/chats/${chat.id}`, `/v3/chats/${chat.id}/messages`,
    `/v3/chats/${chat.id}/messages?limit=1`, `/v3/messages/${chat.message.id}`,
    `/v3/messages/${reply.id}/thread?order=desc`, "/v3/phone_numbers", "/v3/phonenumbers",
    "/v3/webhook-subscriptions", "/v3/webhook-events",
  ]) {
    assert.equal((await api.call("GET", path)).status, 200, path);
  }
  assert.equal((await api.call("DELETE", `/v3/messages/${reply.id}`)).status, 204);

  const hooks = "/v3/webhook-subscriptions";
  const body = { target_url: "https://app.example.com/", subscribed_events: ["message.sent"], phone_numbers: [line] };
  const { id } = jsonOf(await api.call("POST", hooks, { body }));
  await api.call("GET", hooks);
  await api.call("GET", `${hooks}/${id}`);
  await api.call("PUT", `${hooks}/${id}`, { body: { is_active: false, phone_numbers: null } });
  assert.equal((await api.call("DELETE", `${hooks}/${id}`)).status, 204);

  for (const [method, path] of apiOperations) {
    const answered = [...apiDocument.seen].some((each) => each.startsWith(`${method} ${path} 2`));
    assert.ok(answered, `${method} ${path} was never answered well: add it above`);
  }
});

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
  const { id } = await newChat(server);
  for (const parts of [
    [], [media({ attachment_id: unknownId })], [{ type: "app_clip" }], [{ ...text("x"), mention: "x" }],
  ]) {
    await sendInto(server, id, parts);
  }
  assert.equal((await createChat(server, { from: "+15559999999" })).status, 403);
  const person = nextPerson();
  let status = 201;
  for (let i = 0; i < 31 && status === 201; i += 1) status = (await createChat(server, { to: [person] })).status;
  assert.equal(status, 429);
});

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
  await newChat(server, { to: ["+12025550401"] });
  await receive(server, { line, from: nextPerson(), text: "hi" });
  const heard = () => new Set(receiver.deliveries.map(({ url, json }) => `${json.event_type} ${url}`));
  await until(() => heard().size === 2 * types.length, { what: "every documented event, in both versions" });
  for (const { json, headers } of receiver.deliveries) {
    const { pointer, item } = pointers[json.event_type];
    apiDocument.assertMatches(json, pointer, json.event_type);
    for (const { $ref } of item.post.parameters) {
      const [{ name }] = apiDocument.resolve($ref.slice(1));
      assert.ok(headers[name.toLowerCase()], name);
    }
  }
});
