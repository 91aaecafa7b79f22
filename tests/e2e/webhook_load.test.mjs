// Webhooks under load: nothing is lost, whatever ends.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newChat, sdk } from "./support/messaging.mjs";
import { until } from "./support/deadline.mjs";
import { temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver, assertSigned } from "./support/webhook_receiver.mjs";

const limit = { timeout: 240_000 };
const eventsMax = Number(process.env.SATCHEL_E2E_EVENTS ?? 1000);

test("nothing is lost when a third fails and the server is killed", limit, async (t) => {
  const data = `${temporaryFolder(t)}/data`;
  let server = await startDev(t, { data, args: ["--test-clock"] });
  let turn = 0;
  const receiver = await WebhookReceiver.start(t, () => {
    turn += 1;
    return [200, 200, 500, 200, 429, 200, 200, "cut", 200, 200][turn % 10];
  });
  const made = await sdk(server).webhookSubscriptions.create({
    target_url: `${receiver.origin}/`, subscribed_events: ["message.sent"] });
  const accepted = new Set();
  const sendMany = async (count) => {
    let left = count;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        const chat = await newChat(server);
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
