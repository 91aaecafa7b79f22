// What is another partner's, was deleted, has expired or never was looks the same in every call
// that takes an id: status, headers and body, but for the trace id and the date.
//
// The routes are read from the server's table: a new one without a row here fails this file.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  line, media, mediaUrl, newChat, nextPerson, otherLine, photo, recording, text, upload,
} from "./support/messaging.mjs";
import { request } from "./support/http_client.mjs";
import { servedRoutes } from "./support/openapi.mjs";
import { PartnerApi, jsonOf, put } from "./support/partner_api.mjs";
import { satchelJson } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const server = await startDev({ after }, {
  args: ["--test-clock"], env: { SATCHEL_MEDIA__PREVIEWS: "true", SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0" } });
const atServer = ["--data", server.folder];
const owner = server.api;
const stranger = await satchelJson(["partner", "add", "stranger", ...atServer]);
const strangersLine = "+15550100009";
const removedLine = "+15550100008";
const unknownLine = "+15550100007";
await satchelJson(["line", "add", stranger.partner_id, strangersLine, ...atServer]);
const foreign = { api: new PartnerApi(server.baseUrl, stranger.api_key), line: strangersLine };

const uuid = (end) => `0badc0de-0000-4000-8000-${end.toString(16).padStart(12, "0")}`;
const hello = { message: { parts: [text("hello")] } };
const group = () => [nextPerson(), nextPerson(), nextPerson()];
const hook = (api) => api.call("POST", "/v3/webhook-subscriptions", {
  body: { target_url: `https://app.example.com/${Math.random()}`, subscribed_events: ["message.sent"] } });

// One of each kind, of one partner: what calls name.
const makers = {
  attachment: async ({ api }) => (await upload({ api })).attachment_id,
  memo: async ({ api }) => (await upload({ api }, recording, "memo.mp3", "audio/mpeg")).attachment_id,
  chat: async ({ api, line: from }) => (await newChat({ api }, { from, to: group() })).id,
  message: async ({ api, line: from }) => (await newChat({ api }, { from, to: group() })).message.id,
  subscription: async ({ api }) => jsonOf(await hook(api)).id,
  phone: async ({ api }) => jsonOf(await api.call("GET", "/v3/phone_numbers")).phone_numbers[0].id,
  line: async (partner) => partner.line,
};
const own = { api: owner, line };
const removals = {
  attachment: (id) => owner.delete(id),
  memo: (id) => owner.delete(id),
  message: (id) => owner.call("DELETE", `/v3/messages/${id}`),
  subscription: (id) => owner.call("DELETE", `/v3/webhook-subscriptions/${id}`),
};

// { kind: { foreign, unknown, deleted?, expired? } }
async function makeStrangers() {
  const expiring = (await owner.create({ size: 3 })).attachment_id;
  await server.advanceClock(15 * 60 + 1);
  await server.advanceClock(24 * 3600 + 1);
  const ids = {};
  for (const [index, [kind, make]] of Object.entries(makers).entries()) {
    ids[kind] = { foreign: await make(foreign), unknown: uuid(index) };
    if (!removals[kind]) continue;
    ids[kind].deleted = await make(own);
    assert.equal((await removals[kind](ids[kind].deleted)).status, 204, kind);
  }
  ids.attachment.expired = expiring;
  ids.memo.expired = expiring;
  await satchelJson(["line", "add", server.partnerId, removedLine, ...atServer]);
  const [{ id: removedPhone }] = jsonOf(await owner.call("GET", "/v3/phone_numbers")).phone_numbers
    .filter((each) => each.phone_number === removedLine);
  await satchelJson(["line", "remove", removedLine, ...atServer]);
  ids.phone.deleted = removedPhone;
  ids.line = { foreign: strangersLine, unknown: unknownLine, deleted: removedLine };
  return ids;
}
const ids = await makeStrangers();
const ownChat = await newChat(server, { to: group() });
// Lines without a contact card: one for the calls that fail, one for the call that does not.
const [cardless, nextCardless] = ["+15550100005", "+15550100006"];
for (const number of [cardless, nextCardless]) {
  await satchelJson(["line", "add", server.partnerId, number, ...atServer]);
}
const madeCard = await owner.call("POST", "/v3/contact_card", { body: { phone_number: otherLine, first_name: "Ada" } });
assert.ok(madeCard.status < 300, String(madeCard.body));
const ownFile = await upload(server);
const icon = (id) => ownFile.download_url.replace(ownFile.attachment_id, id);

// One case: what kind of id goes where. `path`, `body` and `query` are functions of the id.
// Under the stranger's part of the URLs.
const theirIcon = (id) => icon(id).replace(server.partnerId, stranger.partner_id);
const inPath = (kind, body, query = "") => ({ kind, path: (id, pattern) => pattern.replace("{id}", id) + query,
  body: () => body });
const inBody = (kind, body, at = () => ownChat.id) => ({ kind, at, body,
  path: (id, pattern, place) => pattern.replace("{id}", place) });
const inQuery = (kind, name, body, also = "") => ({ kind, body: () => body,
  path: (id, pattern) => `${pattern}?${name}=${encodeURIComponent(id)}${also}` });
const card = (url) => ({ type: "imessage_app", fallback_text: "x", layout: { caption: "x", image_title: "x", image_url: url },
  app: { bundle_id: "com.example.a", name: "A", team_id: "ABCDE12345", app_store_id: 42 } });

// What a send may name: in parts by id and by URL, in a card, as what it answers.
const sends = (wrap) => [
  inBody("attachment", (id) => wrap({ parts: [media({ attachment_id: id })] })),
  inBody("attachment", (id) => wrap({ parts: [mediaUrl(icon(id))] })),
  { ...inBody("attachment", (id) => wrap({ parts: [mediaUrl(theirIcon(id))] })), isNeverMine: true },
  inBody("attachment", (id) => wrap({ parts: [text("x"), media({ attachment_id: id })] })),
];
const toOne = (message) => ({ from: line, to: [nextPersonFixed], message });
const nextPersonFixed = nextPerson();
const intoChat = [
  inPath("chat", hello),
  ...sends((message) => ({ message })),
  inBody("attachment", (id) => ({ message: { parts: [card(icon(id))] } })),
  { ...inBody("message", (id) => ({ message: { ...hello.message, reply_to: { message_id: id } } })),
    mine: () => ownChat.message.id },
];

const cases = {
  "GET /v3/attachments/{id}": [inPath("attachment")],
  "GET /v3/attachments/{id}/preview": [inPath("attachment"), inPath("attachment", undefined, "?width=64")],
  "DELETE /v3/attachments/{id}": [inPath("attachment")],
  "POST /v3/chats": [
    ...sends(toOne),
    inBody("line", (from) => ({ from, to: [nextPersonFixed], ...hello })),
  ],
  "GET /v3/chats": [inQuery("line", "from"), inQuery("line", "to"),
    { kind: "chat", body: () => undefined,
      path: (id, pattern) => `${pattern}?cursor=${"0".repeat(16)}${id.replaceAll("-", "")}` }],
  "GET /v3/chats/{id}": [inPath("chat")],
  "POST /v3/chats/{id}/messages": intoChat,
  "GET /v3/chats/{id}/messages": [inPath("chat")],
  "POST /v3/chats/{id}/voicememo": [
    inPath("chat", { attachment_id: uuid(99) }),
    inBody("memo", (id) => ({ attachment_id: id })),
    inBody("memo", (id) => ({ voice_memo_url: icon(id) })),
  ],
  "POST /v3/messages": [...sends((message) => ({ to: [nextPersonFixed], message }))],
  "GET /v3/messages/{id}": [inPath("message")],
  "DELETE /v3/messages/{id}": [inPath("message")],
  "GET /v3/messages/{id}/thread": [inPath("message"), inPath("message", undefined, "?order=desc")],
  "PATCH /v3/messages/{id}": [inPath("message", { text: "y" })],
  "POST /v3/messages/{id}/reactions": [inPath("message", { operation: "add", type: "love" })],
  "PUT /v3/chats/{id}": [
    inPath("chat", { display_name: "x" }),
    inBody("attachment", (id) => ({ group_chat_icon: icon(id) })),
  ],
  "POST /v3/chats/{id}/read": [inPath("chat")],
  "POST /v3/chats/{id}/typing": [inPath("chat")],
  "DELETE /v3/chats/{id}/typing": [inPath("chat")],
  "POST /v3/chats/{id}/participants": [inPath("chat", { handle: "+12025550199" })],
  "DELETE /v3/chats/{id}/participants": [inPath("chat", { handle: "+12025550199" })],
  "POST /v3/chats/{id}/leave": [inPath("chat")],
  "POST /v3/chats/{id}/share_contact_card": [inPath("chat")],
  "POST /v3/contact_card": [
    inBody("line", (number) => ({ phone_number: number, first_name: "Ada" })),
    inBody("attachment", (id, isMine) => ({
      phone_number: isMine ? nextCardless : cardless, first_name: "Ada", image_url: icon(id) })),
  ],
  "GET /v3/contact_card": [inQuery("line", "phone_number")],
  "PATCH /v3/contact_card": [
    inQuery("line", "phone_number", { first_name: "Ada" }),
    { kind: "attachment", body: (id) => ({ image_url: icon(id) }),
      path: (id, pattern) => `${pattern}?phone_number=${encodeURIComponent(otherLine)}` },
  ],
  "GET /v3/available_number": [inQuery("line", "exclude_from"), inQuery("line", "to")],
  "PUT /v3/phone_numbers/{id}": [inPath("phone", { forwarding_number: null })],
  // A filter: it may name any line, and none of another partner's events passes it.
  "POST /v3/webhook-subscriptions": [{
    ...inBody("line", (number) => ({ target_url: `https://app.example.com/${Math.random()}`,
      subscribed_events: ["message.sent"], phone_numbers: [number] })),
    isNeverMine: true,
    ofItsOwn: /"(id|signing_secret|created_at|updated_at|target_url)":"[^"]*"|"\+1\d+"|content-length: \d+/g,
  }],
  "GET /v3/webhook-subscriptions/{id}": [inPath("subscription")],
  "PUT /v3/webhook-subscriptions/{id}": [inPath("subscription", { is_active: true })],
  "DELETE /v3/webhook-subscriptions/{id}": [inPath("subscription")],
};
// These name nothing that a partner could own.
const withoutIds = new Set([
  "POST /v3/attachments", "GET /v3/phone_numbers", "GET /v3/phonenumbers", "GET /v3/blocked_handles",
  "POST /v3/blocked_handles", "DELETE /v3/blocked_handles", "POST /v3/capability/check_imessage",
  "POST /v3/capability/check_rcs", "GET /v3/webhook-subscriptions", "GET /v3/webhook-events",
]);

// What tells one answer from another, without what every answer has of its own.
function essence(answer, ofItsOwn = /^$/) {
  const headers = [];
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i].toLowerCase();
    if (name === "x-trace-id" || name === "date") headers.push(name);
    else headers.push(`${name}: ${answer.rawHeaders[i + 1]}`.replace(ofItsOwn, "*"));
  }
  const body = answer.body.toString()
    .replace(/"trace_id":"[0-9a-f]{32}"/, '"trace_id":"*"')
    .replace(/<RequestId>[0-9a-f]{32}</, "<RequestId>*<")
    .replace(ofItsOwn, "*");
  return { status: answer.status, headers, body };
}

// For DELETE, too, whose body Node frames only if its length is given.
const framed = (body) => (body === undefined ? {} : {
  body, headers: { "content-length": String(Buffer.byteLength(JSON.stringify(body))) } });

async function ask(route, example, id, isMine = false) {
  const [method, pattern] = route.split(" ");
  const path = example.path(id, pattern, example.at?.());
  return essence(await owner.call(method, path, framed(example.body(id, isMine))), example.ofItsOwn);
}

test("every route of the server is looked at", limit, () => {
  const served = servedRoutes().map(([method, path]) => `${method} ${path}`);
  assert.ok(served.length >= 42, "the table of routes was read");
  const looked = [...Object.keys(cases), ...withoutIds];
  assert.deepEqual(looked.sort(), served.sort());
  for (const route of withoutIds) assert.ok(!route.includes("{"), route);
});

for (const [route, examples] of Object.entries(cases)) {
  test(`${route} tells nothing of what is not the caller's`, limit, async () => {
    for (const [index, example] of examples.entries()) {
      const what = `${route}, case ${index}`;
      const { unknown, ...others } = ids[example.kind];
      const expected = await ask(route, example, unknown);
      for (const [name, id] of Object.entries(others)) {
        assert.deepEqual(await ask(route, example, id), expected, `${what}: ${name}`);
      }
      const id = await (example.mine ?? makers[example.kind])(own);
      const mine = await ask(route, example, id, true);
      if (!example.isNeverMine && mine.status === expected.status) {
        assert.notDeepEqual(mine.body, expected.body, `${what}: one's own looks unknown, too`);
      }
    }
  });
}

test("ids that are no ids are told so, whatever they are", limit, async () => {
  for (const [route, examples] of Object.entries(cases)) {
    for (const [index, example] of examples.entries()) {
      if (example.kind === "line" || example.path("ID", route).includes("cursor")) continue;
      const answers = [];
      for (const nonsense of ["nonsense", "0badc0de-0000-4000-8000-00000000000", "0badc0de%00", "{id}"]) {
        const answer = await ask(route, example, nonsense);
        assert.ok([400, 404].includes(answer.status), `${route}, case ${index}: ${JSON.stringify(answer)}`);
        answers.push(answer);
      }
      for (const answer of answers) assert.deepEqual(answer, answers[0], `${route}, case ${index}`);
    }
  }
});

// URLs that are credentials in themselves: of one's own, with another's id in them.
test("download, upload, signed and vCard URLs tell nothing when an id in them is changed", limit, async () => {
  const created = await owner.create({ size: 3 });
  const { vcf_url: vcf } = jsonOf(await owner.call("GET", "/v3/available_number?to=%2B12025550177"));
  const tries = {
    "GET download": (id) => request(icon(id)),
    "HEAD download": (id) => request(icon(id), { method: "HEAD" }),
    "range of a download": (id) => request(icon(id), { headers: { range: "bytes=0-1" } }),
    "impossible range": (id) => request(icon(id), { headers: { range: "bytes=999999999-" } }),
    "conditional download": (id) => request(icon(id), { headers: { "if-none-match": "*" } }),
    "POST to a download": (id) => request(icon(id), { method: "POST" }),
    "another form": (id) => request(icon(id).replace(/\/([^/]*)$/, "/jpeg/$1")),
    "unsigned, where signatures are wanted": (id) => request(icon(id).replace("/attachments/partners/", "/attachments/signed/")),
    "upload": (id) => put(created, "abc", { url: created.upload_url.replace(created.attachment_id, id) }),
    "upload without a signature": (id) => request(
      created.upload_url.replace(created.attachment_id, id).replace(/\?.*/, ""), { method: "PUT", body: "abc" }),
  };
  for (const [name, attempt] of Object.entries(tries)) {
    const { unknown, ...others } = ids.attachment;
    const expected = essence(await attempt(unknown));
    assert.ok(expected.status >= 400, `${name}: ${expected.status}`);
    for (const [which, id] of Object.entries(others)) {
      assert.deepEqual(essence(await attempt(id)), expected, `${name}: ${which}`);
    }
  }
  assert.equal((await request(icon(ownFile.attachment_id))).status, 200);
  const otherPartner = (id) => request(vcf.replace(server.partnerId, id));
  assert.deepEqual(essence(await otherPartner(stranger.partner_id)), essence(await otherPartner(uuid(1))));
  assert.ok((await otherPartner(stranger.partner_id)).status >= 400);
  assert.equal((await put(created, photo.subarray(0, 3))).status, 200, "the URL itself was right");
});
