// How messages leave the server and come in: by its sandbox, or by a carrier's bridge.

import assert from "node:assert/strict";

import { ScriptedBridge } from "../e2e/support/carrier_bridge.mjs";
import { until } from "../e2e/support/deadline.mjs";
import { jsonOf } from "../e2e/support/partner_api.mjs";
import { marker } from "./model.mjs";

export const gateways = ["sandbox", "http"];

export function startCarrier(t, gateway) {
  return gateway === "http" ? Bridge.start(t) : new Sandbox();
}

const arrivalMs = 60_000;

// Both:
//   environment                  what the server must be told
//   handedOver(world, message)   the message that was sent has left
//   passOn(world, message, line) it has come in at a line of this server; gives its id there
//   comeIn(world, line, people, content)   the first of them writes to the line and to the others;
//                                gives the message's id
//   bringsGroups                 whether there may be others
//   media()                      every { id, url } that was given out since the last call

class Sandbox {
  environment = {};
  bringsGroups = false;

  media() {
    return [];
  }

  async handedOver() {}

  // The server does it by itself; the receiver hears of it.
  async passOn(world, message, line) {
    const { partner } = line;
    const isIt = ({ event_type: type, data }) =>
      type === "message.received" &&
      data.sender_handle.handle === message.line.number &&
      data.chat.owner_handle.handle === line.number &&
      !world.model.messages.some(({ id }) => id === data.id);
    const heard = () => world.heardBy(partner).find(({ json }) => isIt(json));
    const { json } = await until(heard, { what: "message.received", deadlineMs: arrivalMs });
    return json.data.id;
  }

  async comeIn(world, line, [from], { bytes, contentType, extension }) {
    const form = new FormData();
    const message = { line: line.number, from, text: marker };
    form.set("message", new Blob([JSON.stringify(message)], { type: "application/json" }));
    form.append("media", new Blob([bytes], { type: contentType }), `${marker}.${extension}`);
    const answer = await fetch(`${world.server.adminUrl}/admin/v1/inbound`, {
      method: "POST",
      headers: { authorization: `Bearer ${world.server.adminToken}` },
      body: form,
    });
    assert.equal(answer.status, 201, await answer.clone().text());
    return (await answer.json()).message_id;
  }
}

// Takes some messages only when they come again, reports some at once, others later or never.
class Bridge {
  bringsGroups = true;

  static async start(t) {
    const bridge = new Bridge();
    const answers = [202, [200, '{"status":"delivered"}'], 202, 503];
    bridge.scripted = await ScriptedBridge.start(t, (_, count) => answers[count % answers.length]);
    bridge.seen = 0;
    bridge.came = 0;
    return bridge;
  }

  get environment() {
    return this.scripted.environment;
  }

  media() {
    const fresh = this.scripted.posts.slice(this.seen);
    this.seen += fresh.length;
    return fresh.flatMap(({ message }) => message.parts.filter(({ url }) => url));
  }

  postOf(message) {
    return this.scripted.posts.find((post) => post.message.message_id === message.id);
  }

  async handedOver(world, message) {
    await until(() => this.postOf(message), { what: "the message at the bridge" });
    if (world.choices.below(2) === 0) return;
    const report = { message_id: message.id, status: world.choices.pick(["sent", "delivered"]) };
    const answer = await this.scripted.tell(world.server, "statuses", report);
    assert.equal(answer.status, 200, String(answer.body));
  }

  // As a carrier that is the same at both ends: the media are those that the server signed for it.
  async passOn(world, message, line) {
    const parts = this.postOf(message).message.parts.map((part) =>
      part.type === "text"
        ? { type: "text", value: part.value }
        : { type: "media", url: part.url, filename: part.filename, content_type: part.mime_type },
    );
    return this.tell(world, line, [message.line.number], parts);
  }

  async comeIn(world, line, people, { bytes, contentType, extension }) {
    const path = `/${this.came}.${extension}`;
    this.scripted.files.set(path, [200, { "content-type": contentType }, bytes]);
    const url = new URL(path, this.scripted.url).href;
    const media = { type: "media", url, filename: `${marker}.${extension}` };
    const id = await this.tell(world, line, people, [{ type: "text", value: marker }, media]);
    this.scripted.files.delete(path);
    return id;
  }

  async tell(world, line, [from, ...others], parts) {
    this.came += 1;
    const report = { id: `in-${this.came}`, line: line.number, from, others, parts };
    const take = async () => {
      const answer = await this.scripted.tell(world.server, "inbound", report);
      assert.equal(answer.status, 202, String(answer.body));
      return jsonOf(answer).message_id;
    };
    const id = await take();
    if (world.choices.below(3) === 0) assert.equal(await take(), id, "the same, told twice");
    const api = world.api(line.partner);
    const isThere = async () => (await api.call("GET", `/v3/messages/${id}`)).status === 200;
    await until(isThere, { what: "the message that came in", deadlineMs: arrivalMs });
    return id;
  }
}
