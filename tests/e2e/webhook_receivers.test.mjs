// Receivers that fail, break off, hang and come back (contract section 5.3). Time is moved by the
// operator's clock; only the time-out of an attempt is real, and runs beside the other tests.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { newChat, sdk } from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { run, satchelBinary } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver, assertSigned } from "./support/webhook_receiver.mjs";

const limit = { timeout: 120_000 };
const subscribed_events = ["message.sent"];
const attemptsMax = 10;
// Longer than any wait between two attempts: 768 s and a tenth.
const longestWait = 900;

const start = () => startDev({ after }, { args: ["--test-clock"] });
const server = await start();
const client = sdk(server);
const cli = (...args) => run(satchelBinary, [...args, "--data", server.folder]);

// Ends with the test: later ones move the clock, too.
async function subscribe(t, target_url) {
  const made = await client.webhookSubscriptions.create({ target_url, subscribed_events });
  t.after(() => server.api.call("DELETE", `/v3/webhook-subscriptions/${made.id}`));
  return made;
}
const at = (receiver, url) => receiver.deliveries.filter((each) => each.url === url);
const bodiesAt = (receiver, url) => new Set(at(receiver, url).map(({ body }) => body));

async function failedList() {
  const listed = await cli("webhook", "list-failed", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  return JSON.parse(listed.stdout);
}

// A receiver that does not answer at first, on a server of its own: moving a clock waits for
// attempts.
const hungServer = await start();
const hungReceiver = await WebhookReceiver.start({ after }, ({ url }) =>
  url === "/hung" && at(hungReceiver, url).length === 1 ? "hang" : 204);
const [hungSubscription] = await Promise.all(["/hung", "/healthy"].map((path) =>
  sdk(hungServer).webhookSubscriptions.create({
    target_url: hungReceiver.origin + path, subscribed_events })));
await newChat(hungServer);

test("an event is tried again with one id and one body until it is taken", limit, async (t) => {
  const failures = { "/500": 500, "/503": 503, "/429": [429, { "retry-after": "1" }], "/cut": "cut" };
  const receiver = await WebhookReceiver.start(t, ({ url }) =>
    at(receiver, url).length <= 3 ? failures[url] : 204);
  const made = {};
  for (const path of Object.keys(failures)) made[path] = await subscribe(t, receiver.origin + path);
  await newChat(server);
  for (const path of Object.keys(failures)) {
    await until(() => at(receiver, path).length >= 1, { what: `a first attempt at ${path}` });
  }
  for (let i = 0; i < 6; i += 1) await server.advanceClock(longestWait);
  for (const [path, subscription] of Object.entries(made)) {
    const attempts = at(receiver, path);
    assert.equal(attempts.length, 4, path);
    assert.equal(bodiesAt(receiver, path).size, 1, path);
    for (const attempt of attempts) {
      assertSigned(attempt, subscription.signing_secret, subscription.id);
      assert.equal(attempt.headers["webhook-id"], attempts[0].json.event_id);
    }
  }
  assert.deepEqual(await failedList(), []);
});

test("the waits between attempts double, a tenth more or less", limit, async (t) => {
  const receiver = await WebhookReceiver.start(t, () => 500);
  await subscribe(t, `${receiver.origin}/`);
  const count = () => receiver.deliveries.length;
  await newChat(server);
  await until(() => count() === 1, { what: "the first attempt" });
  await server.advanceClock(0); // Returns when its outcome is known.
  for (let attempt = 1; attempt < attemptsMax; attempt += 1) {
    const wait = 3 * 2 ** (attempt - 1);
    // The short waits leave no room for what the machine itself takes.
    if (wait >= 24) {
      await server.advanceClock(Math.floor(wait * 0.7));
      assert.equal(count(), attempt, `before ${wait} s`);
    }
    await server.advanceClock(Math.ceil(wait * (wait >= 24 ? 0.45 : 1.1)));
    assert.equal(count(), attempt + 1, `after ${wait} s`);
  }
});

test("after ten attempts an event is given up, listed and replayed", limit, async (t) => {
  let answer = 500;
  const receiver = await WebhookReceiver.start(t, () => answer);
  const target = `${receiver.origin}/dead`;
  await subscribe(t, target);
  const tryAll = async () => {
    for (let i = 0; i < attemptsMax + 2; i += 1) await server.advanceClock(longestWait);
  };
  await newChat(server);
  await until(() => receiver.deliveries.length === 1, { what: "the first attempt" });
  await tryAll();
  assert.equal(receiver.deliveries.length, attemptsMax);
  assert.equal(bodiesAt(receiver, "/dead").size, 1);

  const eventId = receiver.deliveries[0].json.event_id;
  const mine = async () => (await failedList()).filter(({ event_id: id }) => id === eventId);
  const [failed, ...others] = await mine();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [failed.target_url, failed.attempts, failed.last_status], [target, attemptsMax, 500]);
  const shown = await cli("webhook", "list-failed");
  assert.match(shown.stdout, /EVENT ID/);
  assert.ok(shown.stdout.includes(eventId));

  assert.equal((await cli("webhook", "replay")).code, 2);
  assert.equal((await cli("webhook", "replay", "nothing")).code, 1);
  assert.match((await cli("webhook", "replay", eventId)).stdout, /^1 /);
  await until(() => receiver.deliveries.length > attemptsMax, { what: "the replay" });
  await tryAll();
  assert.equal(receiver.deliveries.length, 2 * attemptsMax, "as many attempts again");
  assert.equal((await mine()).length, 1);

  answer = 204;
  assert.equal((await cli("webhook", "replay", "--all")).code, 0);
  await until(() => receiver.deliveries.length === 2 * attemptsMax + 1, { what: "the second replay" });
  await until(async () => (await mine()).length === 0, { what: "an empty list" });
  assert.equal(bodiesAt(receiver, "/dead").size, 1);
  assert.equal((await cli("webhook", "replay", eventId)).code, 1);
});

test("any other answer below 500 is final", limit, async (t) => {
  const finals = {
    "/301": [301, { location: "/elsewhere" }], "/302": [302, { location: "/elsewhere" }],
    "/307": [307, { location: "/elsewhere" }], "/400": 400, "/401": 401, "/404": 404, "/410": 410,
  };
  let isBack = false;
  const receiver = await WebhookReceiver.start(t, ({ url }) => isBack ? 204 : (finals[url] ?? 200));
  const paths = [...Object.keys(finals), "/healthy"];
  for (const path of paths) await subscribe(t, receiver.origin + path);
  await newChat(server);
  await until(() => receiver.deliveries.length === paths.length, { what: "every first attempt" });
  for (let i = 0; i < 3; i += 1) await server.advanceClock(longestWait);
  assert.equal(receiver.deliveries.length, paths.length, "nothing is tried again or followed");
  const eventId = receiver.deliveries[0].json.event_id;
  const failed = (await failedList()).filter(({ event_id: id }) => id === eventId);
  assert.deepEqual(
    failed.map((each) => [new URL(each.target_url).pathname, each.last_status, each.attempts]).sort(),
    Object.keys(finals).map((path) => [path, Number(path.slice(1)), 1]),
  );

  isBack = true;
  const count = Object.keys(finals).length;
  assert.match((await cli("webhook", "replay", eventId)).stdout, new RegExp(`^${count} `));
  await until(() => receiver.deliveries.length === paths.length + count, { what: "every replay" });
  assert.equal(at(receiver, "/healthy").length, 1);
  assert.equal(new Set(receiver.deliveries.map(({ body }) => body)).size, 1);
  await until(async () => (await failedList()).length === 0, { what: "an empty list" });
});

test("a receiver that is slow to answer delays nobody else", limit, async (t) => {
  let open;
  const gate = new Promise((resolve) => { open = resolve; });
  const receiver = await WebhookReceiver.start(t, async ({ url }) => {
    if (url === "/slow") await gate;
    return 204;
  });
  for (const path of ["/slow", "/quick"]) await subscribe(t, receiver.origin + path);
  const chats = await Promise.all(Array.from({ length: 60 }, () => newChat(server)));
  await until(() => at(receiver, "/quick").length === chats.length, { what: "all at the quick one" });
  const begun = at(receiver, "/slow");
  assert.ok(begun.length >= 1 && begun.length < chats.length, `${begun.length} begun at once`);
  assert.ok(begun.every(({ dropped }) => dropped === undefined), "still waiting for an answer");
  open();
  await until(() => at(receiver, "/slow").length === chats.length, { what: "all at the slow one" });
  for (const url of ["/slow", "/quick"]) {
    const told = at(receiver, url).map(({ json }) => json.data.chat.id);
    assert.deepEqual(told.sort(), chats.map(({ id }) => id).sort());
  }
});

test("a subscription that ends while events wait for it hears no more", limit, async (t) => {
  let isBack = false;
  const receiver = await WebhookReceiver.start(t, () => isBack ? 204 : 500);
  const deleted = await subscribe(t, `${receiver.origin}/deleted`);
  const paused = await subscribe(t, `${receiver.origin}/paused`);
  await newChat(server);
  await until(() => receiver.deliveries.length >= 2, { what: "the first attempts" });
  const before = receiver.deliveries.length;
  await client.webhookSubscriptions.delete(deleted.id);
  await client.webhookSubscriptions.update(paused.id, { is_active: false });
  isBack = true;
  await server.advanceClock(longestWait);
  assert.equal(receiver.deliveries.length, before);
  const failed = await failedList();
  assert.deepEqual(failed.map(({ target_url }) => target_url), [`${receiver.origin}/paused`]);
  await client.webhookSubscriptions.update(paused.id, { is_active: true });
  assert.match((await cli("webhook", "replay", failed[0].event_id)).stdout, /^1 /);
  await until(() => receiver.deliveries.length === before + 1, { what: "the replay" });
  assert.equal(receiver.deliveries.at(-1).url, "/paused");
});

test("a receiver that does not answer in ten seconds is cut off and tried again", limit, async () => {
  const [first] = at(hungReceiver, "/hung");
  await until(() => first.dropped === true, { what: "the end of the first attempt" });
  assert.equal(at(hungReceiver, "/healthy").length, 1);
  await until(async () => {
    await hungServer.advanceClock(4);
    return at(hungReceiver, "/hung").length === 2;
  }, { what: "the second attempt" });
  assert.equal(bodiesAt(hungReceiver, "/hung").size, 1);
  for (const attempt of at(hungReceiver, "/hung")) {
    assertSigned(attempt, hungSubscription.signing_secret, hungSubscription.id);
  }
  await hungServer.advanceClock(longestWait);
  assert.equal(at(hungReceiver, "/hung").length, 2);
});
