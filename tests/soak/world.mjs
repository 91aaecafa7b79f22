// A server, its partners, and everything a partner or operator does to it, told to the model.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { until } from "../e2e/support/deadline.mjs";
import { jsonOf, PartnerApi, put } from "../e2e/support/partner_api.mjs";
import { satchelJson } from "../e2e/support/program.mjs";
import { SeededChoices } from "../e2e/support/random.mjs";
import { DevServer } from "../e2e/support/server.mjs";
import { WebhookReceiver } from "../e2e/support/webhook_receiver.mjs";
import { Attachment, day, makeContent, marker, Message, minute, Model } from "./model.mjs";

const partnersMade = 3;
const linesEach = 2;
// A jump ends this far from any moment at which something is due.
const jumpMarginMs = 5000;

// Until when the signature in a URL's query holds; undefined: it has none.
function signedUntil(query) {
  const date = query.get("X-Amz-Date");
  if (!date) return undefined;
  const [, y, mo, d, h, mi, s] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(date);
  return Date.UTC(y, mo - 1, d, h, mi, s) + Number(query.get("X-Amz-Expires")) * 1000;
}

export class World {
  constructor(folder, seed, t) {
    this.t = t;
    this.home = folder;
    this.data = join(folder, "data");
    this.choices = new SeededChoices(seed);
    this.model = new Model();
    this.people = 0;
    this.aheadMs = 0; // Of the server's clock before ours.
    this.cutting = false; // The server is being killed: any request may fail.
  }

  now() {
    return Date.now() + this.aheadMs;
  }

  person() {
    this.people += 1;
    return `+1303${String(1_000_000 + this.people).slice(-6)}2`;
  }

  async begin() {
    this.receiver = await WebhookReceiver.start(this.t);
    await this.start();
    for (let i = 0; i < partnersMade; i += 1) {
      const made = await this.cli("partner", "add", `partner ${i}`);
      const partner = { id: made.partner_id, key: made.api_key, lines: [], isEphemeral: false };
      for (let j = 0; j < linesEach; j += 1) {
        const number = `+1555020${i}${j}00`;
        await this.cli("line", "add", partner.id, number);
        partner.lines.push({ number, isEphemeral: false });
      }
      this.model.partners.push(partner);
      const answer = await this.api(partner).call("POST", "/v3/webhook-subscriptions", {
        body: {
          target_url: `${this.receiver.origin}/${i}?version=2026-02-03`,
          subscribed_events: ["message.received", "message.sent"],
        },
      });
      assert.equal(answer.status, 201, String(answer.body));
    }
  }

  async start() {
    const env = { SATCHEL_MEDIA__PREVIEWS: "true" };
    this.server = new DevServer(this.data, ["--test-clock"], env);
    await this.server.becomeReady();
    // Time that was moved is forgotten by a restart.
    if (this.aheadMs > 0) await this.server.advanceClock(Math.round(this.aheadMs / 1000));
    await this.readClock();
  }

  async stop() {
    await this.server.stop();
  }

  api(partner) {
    return new PartnerApi(this.server.baseUrl, partner.key);
  }

  // A URL as it is reached now: the server listens on another port after each start.
  here(url) {
    const { pathname, search } = new URL(url);
    return this.server.origin + pathname + search;
  }

  cli(...args) {
    return satchelJson([...args, "--data", this.data]);
  }

  async readClock() {
    const answer = jsonOf(await this.server.admin("GET", "/admin/v1/stats"));
    this.aheadMs = Math.max(0, Date.parse(answer.now) - Date.now());
    this.model.timeIs(this.now());
  }

  // --- what partners do ---

  async create(partner = this.choices.pick(this.model.partners)) {
    const content = makeContent(this.choices);
    const filename = `${marker} ${this.choices.below(1e6)}.${content.extension}`;
    const created = await this.api(partner).create({
      filename,
      contentType: content.contentType,
      size: content.bytes.length,
    });
    const answer = jsonOf(await this.api(partner).get(created.attachment_id));
    const one = new Attachment({
      id: created.attachment_id,
      partner,
      content,
      createdAt: Date.parse(answer.created_at),
      uploadUrl: created,
      isEphemeral: partner.isEphemeral,
    });
    this.learnUrl(one, created.download_url);
    this.model.attachments.push(one);
    return one;
  }

  async putBytes(one) {
    const before = one.status;
    one.unsure = [before, "complete"];
    const answer = await put(one.uploadUrl, one.content.bytes, {
      url: this.here(one.uploadUrl.upload_url),
      headers: { host: new URL(one.uploadUrl.upload_url).host },
    });
    one.unsure = undefined;
    assert.equal(answer.status, 200, String(answer.body));
    one.status = "complete";
  }

  async upload(partner) {
    const one = await this.create(partner);
    await this.putBytes(one);
    return one;
  }

  // The connection breaks within the body: nothing is stored.
  async cutUpload() {
    const one = await this.create();
    const { bytes } = one.content;
    const half = bytes.subarray(0, Math.floor(bytes.length / 2));
    const cut = async function* () {
      yield half;
      throw new Error("cut");
    };
    await assert.rejects(
      put(one.uploadUrl, cut(), {
        url: this.here(one.uploadUrl.upload_url),
        headers: { host: new URL(one.uploadUrl.upload_url).host },
      }),
    );
    return one;
  }

  async delete(one) {
    one.unsure = [one.status, "gone"];
    const answer = await this.api(one.partner).delete(one.id);
    one.unsure = undefined;
    assert.equal(answer.status, 204, String(answer.body));
    this.model.goes(one, "delete");
  }

  // Sends attachments of one partner, to somebody outside or to a line of this server, whose
  // partner then has copies of its own. What an ephemeral line sends is ephemeral from then on.
  async send(partner, attachments) {
    const from = this.choices.pick(partner.lines);
    const isTooOld = (one) => !one.isEphemeral && this.now() >= one.createdAt + day - minute;
    if (from.isEphemeral && attachments.some(isTooOld)) return undefined;
    const other = this.choices.pick(this.model.partners);
    const toLine = this.choices.below(3) === 0 && other !== partner;
    const line = this.choices.pick(other.lines);
    const to = toLine ? line.number : this.person();
    const parts = [
      { type: "text", value: marker },
      ...attachments.map((one) => ({ type: "media", attachment_id: one.id })),
    ];
    const answer = await this.api(partner).call("POST", "/v3/chats", {
      body: { from: from.number, to: [to], message: { parts } },
    });
    assert.equal(answer.status, 201, String(answer.body));
    const { chat } = jsonOf(answer);
    for (const one of attachments) {
      one.isSent = true;
      one.isEphemeral ||= from.isEphemeral;
    }
    const message = this.addMessage(partner, chat.id, chat.message, attachments);
    if (toLine) await this.takeCopies(other, line, message);
    return message;
  }

  addMessage(partner, chat, told, attachments) {
    const message = new Message({
      id: told.id,
      partner,
      chat,
      parts: [null, ...attachments],
    });
    told.parts.forEach((part, i) => this.learnUrl(message.parts[i], part.url));
    this.model.messages.push(message);
    return message;
  }

  learnUrl(one, url) {
    if (!one || !url || one.urls.has(url)) return;
    const query = new URL(url).searchParams;
    const kind = one.content.contentType === "image/tiff" ? "rendition" : "content";
    one.urls.set(url, { kind, signedUntil: signedUntil(query) });
  }

  // What has come in for `partner` from another line, by its webhook.
  async takeCopies(partner, line, sent) {
    const index = this.model.partners.indexOf(partner);
    const heard = () =>
      this.receiver.deliveries.find(
        ({ url, json, taken }) =>
          !taken &&
          url.startsWith(`/${index}?`) &&
          json.event_type === "message.received" &&
          json.data.parts.length === sent.parts.length,
      );
    const delivery = await until(heard, { what: "message.received", deadlineMs: 30_000 });
    delivery.taken = true;
    const { data } = delivery.json;
    const copies = [];
    for (const [i, part] of data.parts.entries()) {
      if (part.type !== "media") continue;
      copies.push(await this.adopt(partner, line, part, sent.parts[i].content));
    }
    this.addMessage(partner, data.chat.id, { id: data.id, parts: data.parts }, copies);
  }

  // An attachment that the server made for what came in.
  async adopt(partner, line, part, content) {
    const answer = jsonOf(await this.api(partner).get(part.id));
    const isAsItCame = answer.size_bytes === content.bytes.length;
    const one = new Attachment({
      id: part.id,
      partner,
      // A copy of a converted picture is the converted one; its bytes are learned when first read.
      content: { ...content, contentType: answer.content_type, bytes: isAsItCame && content.bytes },
      createdAt: Date.parse(answer.created_at),
      isEphemeral: partner.isEphemeral || line.isEphemeral,
    });
    this.learnUrl(one, answer.download_url);
    one.status = "complete";
    one.isSent = true;
    this.model.attachments.push(one);
    return one;
  }

  async receive() {
    const partner = this.choices.pick(this.model.partners);
    const content = makeContent(this.choices);
    const form = new FormData();
    const line = this.choices.pick(partner.lines);
    const message = { line: line.number, from: this.person(), text: marker };
    form.set("message", new Blob([JSON.stringify(message)], { type: "application/json" }));
    const file = new Blob([content.bytes], { type: content.contentType });
    form.append("media", file, `${marker}.${content.extension}`);
    const answer = await fetch(`${this.server.adminUrl}/admin/v1/inbound`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.server.adminToken}` },
      body: form,
    });
    assert.equal(answer.status, 201, await answer.clone().text());
    const stored = await answer.json();
    const told = jsonOf(await this.api(partner).call("GET", `/v3/messages/${stored.message_id}`));
    const one = await this.adopt(partner, line, told.parts[1], content);
    this.addMessage(partner, stored.chat_id, told, [one]);
    return one;
  }

  async deleteMessage(message) {
    const answer = await this.api(message.partner).call("DELETE", `/v3/messages/${message.id}`);
    assert.equal(answer.status, 204, String(answer.body));
    message.isGone = true;
  }

  // A preview's URL is the API's own; what it gives is owned by the attachment.
  async preview(one) {
    const width = this.choices.pick([16, 64]);
    const path = `/v3/attachments/${one.id}/preview?width=${width}`;
    const answer = await this.api(one.partner).call("GET", path);
    assert.equal(answer.status, 200, String(answer.body));
    one.previews = (one.previews ?? new Set()).add(path);
  }

  // --- what the operator does ---

  // The folder is used again: a backup that is refreshed holds nothing that was deleted before.
  async backUp() {
    this.backup = join(this.home, "backup");
    await this.cli("backup", this.backup);
    this.backedUp = this.model.snapshot();
  }

  async restore() {
    await this.stop();
    const { replaced } = await this.cli("restore", this.backup, "--replace");
    for (const path of replaced) rmSync(path, { recursive: true });
    this.model.restore(this.backedUp);
    await this.start();
  }

  // For what is made from now on.
  async changeTier() {
    const partner = this.choices.pick(this.model.partners);
    const scope = this.choices.below(2) === 0 ? partner : this.choices.pick(partner.lines);
    scope.isEphemeral = !scope.isEphemeral;
    const who = scope === partner ? ["--partner", partner.id] : ["--line", scope.number];
    await this.cli("tier", "set", ...who, scope.isEphemeral ? "ephemeral" : "persistent");
  }

  async rotateKeys() {
    await this.cli("keys", "rotate");
  }

  // --- time ---

  async jump(byMs) {
    let target = this.now() + byMs;
    const moments = this.model.attachments.flatMap((one) => [
      one.createdAt + 15 * minute,
      one.createdAt + 15 * minute + 24 * 60 * minute,
      one.createdAt + 24 * 60 * minute,
    ]);
    while (moments.some((moment) => Math.abs(moment - target) < jumpMarginMs)) {
      target += jumpMarginMs;
    }
    await this.server.advanceClock(Math.round((target - this.now()) / 1000));
    await this.readClock();
  }
}
