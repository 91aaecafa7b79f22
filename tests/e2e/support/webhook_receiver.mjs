// A receiver of webhooks that answers as a test tells it, and keeps what it got.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

import { Webhook } from "standardwebhooks";

import { until } from "./deadline.mjs";

export class WebhookReceiver {
  // `answer(delivery)` gives, at once or later, a status, a [status, headers] pair, "cut" or
  // "hang". A delivery is `dropped` once its sender has closed the connection unanswered.
  static async start(t, answer = () => 200) {
    const receiver = new WebhookReceiver();
    receiver.answer = answer;
    receiver.deliveries = [];
    receiver.server = createServer((incoming, outgoing) => receiver.receive(incoming, outgoing));
    await new Promise((resolve) => receiver.server.listen(0, "127.0.0.1", resolve));
    receiver.origin = `http://127.0.0.1:${receiver.server.address().port}`;
    t.after(() => {
      receiver.server.closeAllConnections?.();
      receiver.server.close();
    });
    return receiver;
  }

  receive(incoming, outgoing) {
    const chunks = [];
    incoming.on("error", () => {});
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", async () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const delivery = {
        method: incoming.method,
        url: incoming.url,
        headers: incoming.headers,
        body,
        json: JSON.parse(body),
      };
      this.deliveries.push(delivery);
      outgoing.on("close", () => {
        delivery.dropped = !outgoing.writableEnded;
      });
      const answer = await this.answer(delivery, this.deliveries.length);
      if (answer === "hang") return;
      if (answer === "cut") {
        incoming.socket.destroy();
        return;
      }
      const [status, headers] = Array.isArray(answer) ? answer : [answer, {}];
      outgoing.writeHead(status, headers).end();
    });
  }

  // Deliveries of one event type, once there are `count` of them.
  async received(type, count, deadlineMs = 20_000) {
    const found = () => this.deliveries.filter((each) => each.json.event_type === type);
    await until(() => found().length >= count, { what: `${count} times ${type}`, deadlineMs });
    return found();
  }
}

// Both signature families, over the bytes that arrived.
export function assertSigned(delivery, secret, subscriptionId) {
  const { headers, body } = delivery;
  assert.equal(delivery.method, "POST");
  assert.equal(headers["content-type"], "application/json");
  assert.deepEqual(new Webhook(secret).verify(body, headers), delivery.json);
  assert.throws(() => new Webhook(secret).verify(`${body} `, headers));
  assert.equal(headers["webhook-id"], delivery.json.event_id);
  assert.equal(headers["x-webhook-event"], delivery.json.event_type);
  assert.equal(headers["x-webhook-subscription-id"], subscriptionId);
  const timestamp = headers["x-webhook-timestamp"];
  assert.equal(timestamp, headers["webhook-timestamp"]);
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 60, timestamp);
  const legacy = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  assert.equal(headers["x-webhook-signature"], legacy);
}
