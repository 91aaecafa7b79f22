// A server, its partners, and everything that partners and people do to it, told to the model.

import assert from "node:assert/strict";
import { join } from "node:path";

import { jsonOf, PartnerApi, put } from "../e2e/support/partner_api.mjs";
import { satchelJson } from "../e2e/support/program.mjs";
import { SeededChoices } from "../e2e/support/random.mjs";
import { DevServer } from "../e2e/support/server.mjs";
import { WebhookReceiver } from "../e2e/support/webhook_receiver.mjs";
import { startCarrier } from "./carrier.mjs";
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
  constructor(folder, { seed, gateway }, t) {
    this.t = t;
    this.gateway = gateway;
    this.home = folder;
    this.data = join(folder, "data");
    this.choices = new SeededChoices(seed);
    this.model = new Model();
    this.peopleMet = 0;
    this.given = []; // URLs of attachments that the model does not know yet: { id, url }.
    this.deliveriesHeard = 0;
    this.isLateAway = true;
    this.aheadMs = 0; // Of the server's clock before ours.
    this.cutting = false; // The server is being killed: any request may fail.
  }

  now() {
    return Date.now() + this.aheadMs;
  }

  // Somebody outside, whom no other partner knows.
  person(partner) {
    if (partner.people.length > 0 && this.choices.below(2) === 0) {
      return this.choices.pick(partner.people);
    }
    this.peopleMet += 1;
    partner.people.push(`+1303${String(1_000_000 + this.peopleMet).slice(-6)}2`);
    return partner.people.at(-1);
  }

  // Now and then a group.
  someone(partner) {
    const first = this.person(partner);
    return this.choices.below(4) > 0 ? [first] : [...new Set([first, this.person(partner)])];
  }

  async begin() {
    this.carrier = await startCarrier(this.t, this.gateway);
    this.receiver = await WebhookReceiver.start(this.t, ({ url }) =>
      url.startsWith("/late/") && this.isLateAway ? 503 : 200,
    );
    await this.start();
    for (let i = 0; i < partnersMade; i += 1) {
      const made = await this.cli("partner", "add", `partner ${i}`);
      const partner = { id: made.partner_id, key: made.api_key, isEphemeral: false };
      Object.assign(partner, { lines: [], people: [] });
      for (let j = 0; j < linesEach; j += 1) {
        const number = `+1555020${i}${j}00`;
        await this.cli("line", "add", partner.id, number);
        partner.lines.push({ partner, number, isEphemeral: false });
      }
      this.model.partners.push(partner);
      // One receiver that is there, and one that mostly is not.
      for (const path of [`/${i}`, `/late/${i}`]) await this.subscribe(partner, path);
    }
  }

  async subscribe(partner, path) {
    const answer = await this.api(partner).call("POST", "/v3/webhook-subscriptions", {
      body: {
        target_url: `${this.receiver.origin}${path}?version=2026-02-03`,
        subscribed_events: ["message.received", "message.sent"],
      },
    });
    assert.equal(answer.status, 201, String(answer.body));
  }

  async start() {
    const env = {
      SATCHEL_MEDIA__PREVIEWS: "true",
      SATCHEL_SERVER__MESSAGES_PER_MINUTE: "0",
      ...this.carrier.environment,
    };
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

  async create(
    partner = this.choices.pick(this.model.partners),
    content = makeContent(this.choices),
  ) {
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
      size: content.bytes.length,
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
    const line = toLine ? this.choices.pick(other.lines) : undefined;
    const to = toLine ? [line.number] : this.someone(partner);
    const parts = [
      { type: "text", value: marker },
      ...attachments.map((one) => ({ type: "media", attachment_id: one.id })),
    ];
    const answer = await this.api(partner).call("POST", "/v3/chats", {
      body: { from: from.number, to, message: { parts } },
    });
    assert.equal(answer.status, 201, String(answer.body));
    for (const one of attachments) {
      one.isSent = true;
      one.isEphemeral ||= from.isEphemeral;
    }
    const { chat } = jsonOf(answer);
    const message = await this.addMessage(from, { people: to }, chat.message.id, [
      null,
      ...attachments,
    ]);
    await this.carrier.handedOver(this, message);
    if (!toLine) return message;
    const copy = await this.carrier.passOn(this, message, line);
    await this.takeIn(line, [from.number], copy, message.parts);
    return message;
  }

  async receive() {
    const partner = this.choices.pick(this.model.partners);
    const line = this.choices.pick(partner.lines);
    const content = makeContent(this.choices);
    const people = this.carrier.bringsGroups ? this.someone(partner) : [this.person(partner)];
    const id = await this.carrier.comeIn(this, line, people, content);
    const { parts } = await this.takeIn(line, people, id, [null, { content }]);
    return parts[1];
  }

  // A message that has come in, from the first of `people`. `sent`: what its media are copies of,
  // in order.
  async takeIn(line, people, id, sent) {
    const told = jsonOf(await this.api(line.partner).call("GET", `/v3/messages/${id}`));
    const parts = [];
    for (const [i, part] of told.parts.entries()) {
      parts.push(sent[i] && (await this.adopt(line, part, sent[i].content)));
    }
    return this.addMessage(line, { people, sender: people[0] }, id, parts);
  }

  // An attachment that the server made for what came in.
  async adopt({ partner, isEphemeral }, { id }, content) {
    const answer = jsonOf(await this.api(partner).get(id));
    const isAsItCame = answer.size_bytes === content.bytes.length;
    const one = new Attachment({
      id,
      partner,
      // A copy of a converted picture is the converted one; its bytes are learned when first read.
      content: { ...content, contentType: answer.content_type, bytes: isAsItCame && content.bytes },
      size: answer.size_bytes,
      createdAt: Date.parse(answer.created_at),
      isEphemeral: partner.isEphemeral || isEphemeral,
    });
    this.learnUrl(one, answer.download_url);
    one.status = answer.status;
    one.isSent = true;
    this.model.attachments.push(one);
    return one;
  }

  async addMessage(line, { people, sender }, id, parts) {
    const told = jsonOf(await this.api(line.partner).call("GET", `/v3/messages/${id}`));
    const createdAt = Date.parse(told.created_at);
    const chat = told.chat_id;
    const message = new Message({ id, line, people, sender, chat, createdAt, parts });
    told.parts.forEach((part, i) => this.learnUrl(parts[i], part.url));
    this.model.messages.push(message);
    return message;
  }

  learnUrl(one, url) {
    if (!one || !url || one.urls.has(url)) return;
    const query = new URL(url).searchParams;
    const kind = one.content.contentType === "image/tiff" ? "rendition" : "content";
    one.urls.set(url, { kind, signedUntil: signedUntil(query) });
  }

  // The deliveries to one partner's webhooks.
  heardBy(partner) {
    const path = `/${this.model.partners.indexOf(partner)}?`;
    return this.receiver.deliveries.filter(({ url }) => url.startsWith(path));
  }

  // Learns the URLs that webhooks and the bridge were given.
  hear() {
    const fresh = this.receiver.deliveries.slice(this.deliveriesHeard);
    this.deliveriesHeard += fresh.length;
    const parts = fresh.flatMap(({ json }) => json.data.parts.filter(({ url }) => url));
    this.given.push(...parts, ...this.carrier.media());
    // What has come in is known only when the step is over.
    this.given = this.given.filter(({ id, url }) => {
      const one = this.model.find(id);
      this.learnUrl(one, url);
      return !one;
    });
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
