// What the tests of chats and messages share: the official SDK, lines and people, parts.

import assert from "node:assert/strict";
import { createServer } from "node:http";

import LinqAPIV3 from "@linqapp/sdk";

import { until } from "./deadline.mjs";
import { jsonOf } from "./partner_api.mjs";
import { drawing, jpeg } from "./pictures.mjs";
import { mp3, tone } from "./sounds_and_films.mjs";

// The lines of `satchel dev`.
export const line = "+15550100001";
export const otherLine = "+15550100002";

export const unknownId = "00000000-0000-4000-8000-000000000000";
export const photo = jpeg(drawing(320, 240));
// An MP3 of so many seconds.
export const recordingSeconds = 1.5;
export const recording = mp3(tone(recordingSeconds));

export const text = (value) => ({ type: "text", value });
export const media = (attachment) => ({ type: "media", attachment_id: attachment.attachment_id });
export const mediaUrl = (url) => ({ type: "media", url });

export function sdk(server, options = {}) {
  return new LinqAPIV3({ apiKey: server.key, baseURL: server.baseUrl, maxRetries: 0, ...options });
}

// A phone number that nobody else in the test file writes to: the limit on what one recipient
// gets counts each apart. It ends in 2, which no fate of the sandbox does.
let people = 0;
export function nextPerson() {
  people += 1;
  return `+1202${String(100_000 + people)}2`;
}

export function upload(server, bytes = photo, filename = "photo.jpg", contentType = "image/jpeg") {
  return server.api.upload({ filename, contentType, bytes });
}

// POST /v3/chats as a plain client sends it; `changes` replaces or (undefined) drops members.
export function createChat(server, changes = {}, options = {}) {
  const body = { from: line, to: [nextPerson()], message: { parts: [text("hello")] }, ...changes };
  return server.api.call("POST", "/v3/chats", { body, ...options });
}

// A chat that has begun, as POST /v3/chats tells of it.
export async function newChat(server, changes = {}) {
  const answer = await createChat(server, changes);
  assert.equal(answer.status, 201, String(answer.body));
  return jsonOf(answer).chat;
}

// POST /v3/chats/{id}/messages with these parts.
export function sendInto(server, chatId, parts, message = {}, options = {}) {
  return server.api.call("POST", `/v3/chats/${chatId}/messages`, {
    body: { message: { parts, ...message } },
    ...options,
  });
}

// For assert.rejects: an error of the SDK with this code.
export function code(expected) {
  return (error) => {
    assert.equal(error.error?.error?.code, expected, error.message);
    return true;
  };
}

// The message, once its delivery_status is `status`.
export function reaches(client, id, status) {
  return until(
    async () => {
      const message = await client.messages.retrieve(id);
      return message.delivery_status === status && message;
    },
    { what: `message ${status}`, deadlineMs: 10_000 },
  );
}

// Lets a message come in from outside, with files ({ bytes, name, type }).
export function receive(server, message, files = []) {
  const form = new FormData();
  form.set("message", new Blob([JSON.stringify(message)], { type: "application/json" }));
  for (const { bytes, name, type } of files) form.append("media", new Blob([bytes], { type }), name);
  return fetch(`${server.adminUrl}/admin/v1/inbound`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body: form,
  });
}

export async function bytesAt(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

// A web server that answers each path with { status, type, bytes }: its base URL.
export async function startOrigin(t, files) {
  const origin = createServer((request, response) => {
    const { status = 200, type, bytes } = files[request.url.split("?")[0]] ?? { status: 404 };
    response.writeHead(status, type ? { "content-type": type } : {}).end(bytes);
  });
  await new Promise((resolve) => origin.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  return `http://127.0.0.1:${origin.address().port}`;
}
