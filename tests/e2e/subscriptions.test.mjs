// Webhook subscriptions (contract section 5.1), as the official SDK and a careless client make them.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { line, otherLine, sdk, unknownId } from "./support/messaging.mjs";
import { assertError, assertTraced, jsonOf } from "./support/partner_api.mjs";
import { aBool, aTime, aUrl, anId, assertShape, listOf, nullOr, oneOf } from "./support/shapes.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const server = await startDev({ after });
const client = sdk(server);
const base = "/v3/webhook-subscriptions";
const subscribed_events = ["message.sent"];
const post = (body) => server.api.call("POST", base, { body });

let targets = 0;
function nextTarget() {
  targets += 1;
  return `https://app.example.com/hook/${targets}`;
}

// The 45 event types of contract section 5.2.
const eventTypes = [
  ...["sent", "received", "read", "delivered", "failed", "edited"].map((each) => `message.${each}`),
  "reaction.added", "reaction.removed", "participant.added", "participant.removed",
  ...[
    "created", "group_name_updated", "group_icon_updated", "group_name_update_failed",
    "group_icon_update_failed", "typing_indicator.started", "typing_indicator.stopped",
    "background_updated", "background_update_failed",
  ].map((each) => `chat.${each}`),
  "phone_number.status_updated",
  ...["initiated", "ringing", "answered", "ended", "failed", "declined", "no_answer"].map((each) => `call.${each}`),
  "location.sharing.started", "location.sharing.stopped",
  ...[
    "received", "failed", "sent", "delivered", "read", "updated", "vote.added", "vote.removed",
    "reaction.added",
  ].map((each) => `poll.${each}`),
  ...["succeeded", "canceled", "expired", "declined", "authorized"].map((each) => `payment.${each}`),
  "connection.created", "connection.revoked",
];

const shape = {
  id: anId,
  target_url: aUrl,
  subscribed_events: listOf(oneOf(...eventTypes)),
  phone_numbers: nullOr(listOf(oneOf(line, otherLine))),
  is_active: aBool,
  created_at: aTime,
  updated_at: aTime,
};

test("the official SDK manages subscriptions; the secret is shown once", limit, async () => {
  const target_url = `${nextTarget()}?x=1`;
  const made = await client.webhookSubscriptions.create({
    target_url,
    subscribed_events: ["message.sent", "message.received"],
    phone_numbers: [line],
  });
  const { signing_secret: secret, ...rest } = made;
  assertShape(rest, shape);
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.deepEqual(
    [rest.target_url, rest.subscribed_events, rest.phone_numbers, rest.is_active],
    [target_url, ["message.sent", "message.received"], [line], true],
  );
  const listed = await client.webhookSubscriptions.list();
  assert.deepEqual(listed.subscriptions, [rest]);
  assert.deepEqual({ ...(await client.webhookSubscriptions.retrieve(made.id)) }, rest);

  const updated = await client.webhookSubscriptions.update(made.id, {
    is_active: false,
    subscribed_events: ["message.read"],
    phone_numbers: null,
  });
  assertShape({ ...updated }, shape);
  assert.deepEqual(
    [updated.id, updated.target_url, updated.subscribed_events, updated.phone_numbers, updated.is_active],
    [made.id, target_url, ["message.read"], null, false],
  );
  assert.deepEqual((await client.webhookSubscriptions.list()).subscriptions, [{ ...updated }]);

  await client.webhookSubscriptions.delete(made.id);
  assert.deepEqual((await client.webhookSubscriptions.list()).subscriptions, []);
  assertError(await server.api.call("DELETE", `${base}/${made.id}`), 404, 2010);
});

test("all event types are listed, and can be subscribed to", limit, async () => {
  const { doc_url, events, ...nothing } = await client.webhookEvents.list();
  assert.equal(doc_url, "https://docs.linqapp.com/guides/webhooks/events");
  assert.deepEqual([...events].sort(), [...eventTypes].sort());
  assert.deepEqual(nothing, {});
  const made = jsonOf(await post({ target_url: nextTarget(), subscribed_events: events }));
  assert.deepEqual(made.subscribed_events, events);
  assert.equal((await server.api.call("DELETE", `${base}/${made.id}`)).status, 204);
});

test("wrong subscriptions are refused with the codes of the contract", limit, async () => {
  const target_url = nextTarget();
  for (const [body, status, errorCode] of [
    ["", 400, 1003],
    [[], 400, 1003],
    [{ subscribed_events }, 400, 1001],
    [{ target_url }, 400, 1001],
    [{ target_url: null, subscribed_events }, 400, 1001],
    [{ target_url: 7, subscribed_events }, 400, 1003],
    [{ target_url, subscribed_events: "message.sent" }, 400, 1003],
    [{ target_url, subscribed_events: [7] }, 400, 1003],
    [{ target_url, subscribed_events: [] }, 400, 1005],
    [{ target_url, subscribed_events: ["attachment.deleted"] }, 400, 1005],
    [{ target_url: "", subscribed_events }, 400, 1005],
    [{ target_url: "ftp://a.example/", subscribed_events }, 400, 1005],
    [{ target_url: "https://a:b@a.example/", subscribed_events }, 400, 1005],
    [{ target_url: "https://a.example/#x", subscribed_events }, 400, 1005],
    [{ target_url: "https://a.example/ x", subscribed_events }, 400, 1005],
    [{ target_url: "x", subscribed_events }, 400, 1005],
    [{ target_url: `https://a.example/${"x".repeat(2031)}`, subscribed_events }, 400, 1005],
    [{ target_url, subscribed_events, phone_numbers: ["1"] }, 400, 1002],
    [{ target_url, subscribed_events, phone_numbers: line }, 400, 1003],
    [{ target_url, subscribed_events, phone_numbers: ["+15559999999"] }, 403, 2006],
  ]) {
    assertError(await post(body), status, errorCode);
  }
  const longest = { target_url: `https://a.example/${"x".repeat(2030)}`, subscribed_events };
  assert.equal((await post(longest)).status, 201);
  const all = await post({ target_url, subscribed_events, phone_numbers: [] });
  assert.equal(jsonOf(all).phone_numbers, null, "no numbers are all numbers");
  const again = await post({ target_url, subscribed_events: ["message.read"] });
  assertError(again, 409, 2015);
  assert.equal(again.headers["x-should-retry"], "false");
  assert.equal((await post({ target_url: `${target_url}?x`, subscribed_events })).status, 201);
});

test("an update changes what it names and nothing else", limit, async () => {
  const made = jsonOf(await post({ target_url: nextTarget(), subscribed_events, phone_numbers: [line] }));
  const other = jsonOf(await post({ target_url: nextTarget(), subscribed_events }));
  const put = (body, id = made.id) => server.api.call("PUT", `${base}/${id}`, { body });
  const { signing_secret: _, updated_at: __, ...kept } = made;
  const same = jsonOf(await put({}));
  assert.ok(Date.parse(same.updated_at) >= Date.parse(made.updated_at));
  for (const [name, value] of Object.entries(kept)) assert.deepEqual(same[name], value, name);
  for (const [body, status, errorCode] of [
    ["", 400, 1003],
    [{ target_url: 7 }, 400, 1003],
    [{ target_url: "ftp://a.example/" }, 400, 1005],
    [{ subscribed_events: [] }, 400, 1005],
    [{ subscribed_events: ["nonsense"] }, 400, 1005],
    [{ phone_numbers: ["1"] }, 400, 1002],
    [{ phone_numbers: ["+15559999999"] }, 403, 2006],
    [{ is_active: "no" }, 400, 1003],
    [{ target_url: other.target_url }, 409, 2015],
  ]) {
    assertError(await put(body), status, errorCode);
  }
  assert.deepEqual(jsonOf(await server.api.call("GET", `${base}/${made.id}`)), same);
  const moved = jsonOf(await put({ target_url: nextTarget(), phone_numbers: [otherLine, otherLine] }));
  assert.notEqual(moved.target_url, made.target_url);
  assert.deepEqual(moved.phone_numbers, [otherLine]);
  assertError(await put({}, unknownId), 404, 2010);
  assertError(await put({}, "nobody"), 404, 2010);
});

test("a subscription that is not there is not found, whatever its id looks like", limit, async () => {
  for (const id of ["nobody", unknownId]) {
    for (const method of ["GET", "DELETE"]) {
      assertError(await server.api.call(method, `${base}/${id}`), 404, 2010);
    }
  }
  const made = jsonOf(await post({ target_url: nextTarget(), subscribed_events }));
  const deleted = await server.api.call("DELETE", `${base}/${made.id}`);
  assertTraced(deleted);
  assert.deepEqual([deleted.status, deleted.body.length], [204, 0]);
  assert.equal((await post({ target_url: made.target_url, subscribed_events })).status, 201);
});

test("a partner has at most 100 subscriptions", limit, async (t) => {
  const full = await startDev(t);
  const make = () =>
    full.api.call("POST", base, { body: { target_url: nextTarget(), subscribed_events } });
  const answers = await Promise.all(Array.from({ length: 100 }, make));
  assert.ok(answers.every(({ status }) => status === 201));
  assertError(await make(), 409, 2015);
  assert.equal(jsonOf(await full.api.call("GET", base)).subscriptions.length, 100);
});

test("without the development switches a target must be public https", limit, async (t) => {
  const strict = await startDev(t, {
    env: { SATCHEL_FETCH__ALLOW_HTTP: "false", SATCHEL_FETCH__ALLOW_PRIVATE_ADDRESSES: "false" },
  });
  for (const target_url of [
    "http://app.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
    "https://169.254.169.254/latest",
  ]) {
    const body = { target_url, subscribed_events };
    assertError(await strict.api.call("POST", base, { body }), 400, 1005);
  }
});
