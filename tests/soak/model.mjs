// What the outside world knows: every partner, attachment and message that was acknowledged, and
// what became of it. Nothing here asks the server.

import { createHash } from "node:crypto";

import { drawing, jpeg, tiff } from "../e2e/support/pictures.mjs";

export const minute = 60_000;
export const day = 24 * 60 * minute;
export const uploadWindow = 15 * minute;

// Stands in every content, file name and text. At rest it stands nowhere.
export const marker = "SOAK-MARKER-7f1d";
// Is only ever written to with what is gone, so nothing ever knows of this person.
export const stranger = "+13039999992";

const note = { contentType: "text/plain", extension: "txt" };
const scan = { contentType: "image/tiff", extension: "tif" };
const photo = { contentType: "image/jpeg", extension: "jpg" };

function noteBytes(size, seed) {
  const line = `${marker} ${seed} `;
  return Buffer.alloc(size, line);
}

// Content of one of three kinds: text of any size, pictures that are converted on delivery, and
// pictures that have previews.
export function makeContent(choices) {
  const seed = choices.below(1e9);
  const dice = choices.below(20);
  if (dice === 0) {
    return { ...scan, bytes: tiff(drawing(8 + choices.below(40), 8 + choices.below(40))) };
  }
  if (dice <= 2) {
    return { ...photo, bytes: jpeg(drawing(16 + choices.below(100), 16 + choices.below(100))) };
  }
  const size = choices.pick([1, 100, 65_535, 65_536, 65_537, 200_000, 700_000]) + choices.below(9);
  return { ...note, bytes: noteBytes(size, seed) };
}

export function digestOf(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

export class Attachment {
  // `status`: "pending", "complete", "failed", or "gone" for good. What a cut request may have
  // done is in `unsure`: the attachment is then looked at before it is used again.
  constructor({ id, partner, content, size, createdAt, uploadUrl, isEphemeral }) {
    this.id = id;
    this.partner = partner;
    this.content = content;
    this.size = size; // As announced.
    this.createdAt = createdAt;
    this.uploadUrl = uploadUrl;
    this.status = "pending";
    this.isSent = false;
    this.isEphemeral = isEphemeral;
    this.unsure = undefined;
    this.why = undefined; // It is gone: the audit's cause.
    // Everything that ever named its bytes: URL -> { kind, signedUntil?, digest? }.
    this.urls = new Map();
    // Those that were given out after the backup of which the store was made. Whether they hold is
    // not said; once it is gone they must not.
    this.forgottenUrls = new Map();
  }

  get isLive() {
    return this.status === "complete";
  }

  expiresAt() {
    return this.isEphemeral ? this.createdAt + day : Infinity;
  }
}

export class Message {
  constructor({ id, line, people, sender, chat, createdAt, parts }) {
    this.id = id;
    this.partner = line.partner;
    this.line = line;
    this.people = people; // The handles on the other side; several are a group.
    this.sender = sender; // One of them; undefined: the line.
    this.chat = chat;
    this.createdAt = createdAt;
    this.parts = parts; // Attachments, in order; null for text.
    this.isGone = false;
  }

  // Of what a person is about, in a group only what that person said.
  isOf(person) {
    return this.people.length > 1 ? this.sender === person : this.people[0] === person;
  }
}

export class Model {
  constructor() {
    this.partners = [];
    this.attachments = [];
    this.messages = [];
  }

  live(partner) {
    return this.attachments.filter(
      (one) => one.isLive && !one.unsure && (!partner || one.partner === partner),
    );
  }

  // What has a tier.
  scopes() {
    return this.partners.flatMap((partner) => [partner, ...partner.lines]);
  }

  // What follows from the clock alone.
  timeIs(now) {
    for (const one of this.attachments) {
      if (one.status === "gone") continue;
      if (now >= one.expiresAt()) {
        this.goes(one, one.status === "complete" ? "expired" : "upload_failed");
      } else if (one.status === "pending" && now >= one.createdAt + uploadWindow) {
        one.status = "failed";
      }
      if (one.status === "failed" && now >= one.createdAt + uploadWindow + day) {
        this.goes(one, "upload_failed");
      }
    }
  }

  goes(one, why) {
    one.status = "gone";
    one.unsure = undefined;
    one.why = why;
    for (const [url, seen] of one.forgottenUrls) one.urls.set(url, seen);
  }

  find(id) {
    return this.attachments.find((one) => one.id === id);
  }

  // What a partner has stored, as quotas count it: a failed upload has no bytes and is no file.
  usage(partner) {
    const sum = { pending: 0, complete: 0, failed: 0, pendingBytes: 0, bytes: 0 };
    for (const one of this.attachments) {
      if (one.partner !== partner || one.status === "gone") continue;
      sum[one.status] += 1;
      if (one.status === "pending") sum.pendingBytes += one.size;
      if (one.status === "complete") sum.bytes += one.size;
    }
    return sum;
  }

  // What an erasure of a partner, or of what it has of one person, takes. Before `before` was made
  // what goes; the attachments of a person go with the messages, whenever they were made.
  erasable(partner, { person, before = Infinity }) {
    const messages = this.messages.filter(
      (each) =>
        each.partner === partner &&
        !each.isGone &&
        each.createdAt < before &&
        (!person || each.isOf(person)),
    );
    const sent = new Set(messages.flatMap(({ parts }) => parts));
    const attachments = this.attachments.filter(
      (one) =>
        one.partner === partner &&
        one.status !== "gone" &&
        (person ? sent.has(one) : one.createdAt < before),
    );
    return { messages, attachments };
  }

  erased({ messages, attachments }) {
    for (const message of messages) message.isGone = true;
    for (const one of attachments) this.goes(one, "erase");
  }

  // What a backup that is made now will bring back.
  snapshot() {
    return {
      attachments: new Map(
        this.attachments
          .filter(({ status }) => status !== "gone")
          .map((one) => [
            one,
            {
              status: one.status,
              isSent: one.isSent,
              isEphemeral: one.isEphemeral,
              urls: new Map(one.urls),
            },
          ]),
      ),
      messages: new Map(this.messages.map((message) => [message, message.isGone])),
      tiers: new Map(this.scopes().map((scope) => [scope, scope.isEphemeral])),
    };
  }

  // A store is made of that backup: what came later was never there, what went since stays gone.
  // Messages that were deleted since come back: the deletion ledger is of attachments.
  restore({ attachments, messages, tiers }) {
    for (const [scope, isEphemeral] of tiers) scope.isEphemeral = isEphemeral;
    for (const one of this.attachments) {
      if (one.status === "gone") continue;
      const then = attachments.get(one);
      for (const [url, seen] of one.urls) one.forgottenUrls.set(url, seen);
      if (then) Object.assign(one, then, { urls: new Map(then.urls) });
      else this.goes(one, "never there");
    }
    for (const message of this.messages) message.isGone = messages.get(message) ?? true;
  }
}
