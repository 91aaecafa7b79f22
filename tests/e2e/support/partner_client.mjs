// The official SDK as a partner's program uses it.

import assert from "node:assert/strict";

import LinqAPIV3 from "@linqapp/sdk";

import { WebhookReceiver } from "./webhook_receiver.mjs";

export function sdkOf(server) {
  return new LinqAPIV3({ apiKey: server.key, baseURL: server.baseUrl, maxRetries: 0 });
}

// For assert.rejects: an SDK error with this status and code in the envelope.
export function refusal(status, code) {
  return (error) => {
    assert.equal(error.error?.error?.code, code, error.message);
    assert.equal(error.status, status, error.message);
    return true;
  };
}

// A receiver that hears these events.
export async function listen(t, client, events, version = "2026-02-03") {
  const receiver = await WebhookReceiver.start(t);
  await client.webhookSubscriptions.create({
    target_url: `${receiver.origin}/?version=${version}`,
    subscribed_events: events,
  });
  return receiver;
}

// The payloads of one event type about one chat, once there are `count` of them.
export async function heard(receiver, type, chatId, count = 1) {
  const about = ({ json }) => (json.data.chat_id ?? json.data.chat?.id) === chatId;
  let found = [];
  for (let seen = count; found.length < count; seen += 1) {
    found = (await receiver.received(type, seen)).filter(about);
  }
  return found.map(({ json }) => json.data);
}

export const text = (value) => ({ type: "text", value });
export const firstMessage = (value = "Hello") => ({ parts: [text(value)] });

// A message from somebody outside, as the operator injects it: { message_id, chat_id, ... }.
export async function receive(server, message) {
  const form = new FormData();
  form.append("message", JSON.stringify(message));
  const answer = await fetch(`${server.adminUrl}/admin/v1/inbound`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body: form,
  });
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
}
