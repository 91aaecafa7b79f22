// Webhook events that were put together while an attachment was there, and go out when it is not.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { bridgeEnvironment, listen, newSecret } from "./support/carrier_bridge.mjs";
import { until } from "./support/deadline.mjs";
import { media, newChat, upload } from "./support/messaging.mjs";
import { satchelJson, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";
import { WebhookReceiver } from "./support/webhook_receiver.mjs";

const limit = { timeout: 60_000 };

async function subscribe(t, server, answer) {
  const receiver = await WebhookReceiver.start(t, answer);
  const made = await server.api.call("POST", "/v3/webhook-subscriptions", {
    body: {
      target_url: `${receiver.origin}/?version=2026-02-03`,
      subscribed_events: ["message.sent"],
    },
  });
  assert.equal(made.status, 201, String(made.body));
  return receiver;
}

function assertShowsNothing(event) {
  const members = ({ id, url, filename, mime_type: type, size_bytes: size }) => {
    return [id, url, filename, type, size];
  };
  assert.deepEqual(event.data.parts.map(members), [[null, null, null, null, null]]);
}

test("an event that waited in a backup shows nothing that was deleted since", limit, async (t) => {
  let server = await startDev(t, { args: ["--test-clock"] });
  let answer = 503;
  const receiver = await subscribe(t, server, () => answer);
  const own = await upload(server);
  await newChat(server, { message: { parts: [media(own)] } });
  await receiver.received("message.sent", 1);
  const backup = join(temporaryFolder(t), "backup");
  await satchelJson(["backup", backup, "--data", server.folder]);
  assert.equal((await server.api.delete(own.attachment_id)).status, 204);
  await server.stop();

  const { replaced } = await satchelJson([
    "restore",
    backup,
    "--data",
    server.folder,
    "--replace",
  ]);
  for (const path of replaced) rmSync(path, { recursive: true });
  answer = 200;
  const from = receiver.deliveries.length;
  server = await startDev(t, { args: ["--test-clock"], data: server.folder });
  await server.advanceClock(900);
  await until(() => receiver.deliveries.length > from, { what: "the event" });
  assertShowsNothing(receiver.deliveries.at(-1).json);
});

test("an event shows nothing that was deleted while its message was at the carrier's", limit, async (t) => {
  const taken = [];
  const bridge = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.on("end", () => taken.push(outgoing));
  });
  const port = await listen(bridge);
  t.after(() => {
    bridge.closeAllConnections();
    bridge.close();
  });
  const env = bridgeEnvironment(`http://127.0.0.1:${port}/`, newSecret());
  const server = await startDev(t, { env });
  const receiver = await subscribe(t, server);
  const own = await upload(server);
  await newChat(server, { message: { parts: [media(own)] } });
  await until(() => taken.length === 1, { what: "the message at the bridge" });
  assert.equal((await server.api.delete(own.attachment_id)).status, 204);
  taken[0].writeHead(200).end('{"status":"sent"}');
  const [{ json }] = await receiver.received("message.sent", 1);
  assertShowsNothing(json);
});
