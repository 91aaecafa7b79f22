// What the outside world knows: every partner, attachment and message that was acknowledged, and
// what became of it. Nothing here asks the server.

import { createHash } from "node:crypto";

import { drawing, jpeg, tiff } from "../e2e/support/pictures.mjs";

export const minute = 60_000;
export const day = 24 * 60 * minute;
export const uploadWindow = 15 * minute;

// Stands in every content, file name and text. At rest it stands nowhere.
export const marker = "SOAK-MARKER-7f1d";

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
  constructor({ id, partner, content, createdAt, uploadUrl, isEphemeral }) {
    this.id = id;
    this.partner = partner;
    this.content = content;
    this.createdAt = createdAt;
    this.uploadUrl = uploadUrl;
    this.status = "pending";
    this.isSent = false;
    this.isEphemeral = isEphemeral;
    this.unsure = undefined;
    this.why = undefined; // It is gone: the audit's cause.
    // Everything that ever named its bytes: URL -> { kind, signedUntil?, digest? }.
    this.urls = new Map();
  }

  get isLive() {
    return this.status === "complete";
  }

  expiresAt() {
    return this.isEphemeral ? this.createdAt + day : Infinity;
  }
}

export class Message {
  constructor({ id, partner, chat, parts }) {
    this.id = id;
    this.partner = partner;
    this.chat = chat;
    this.parts = parts; // Attachments, in order; null for text.
    this.isGone = false;
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
      if (then) Object.assign(one, then, { urls: new Map(then.urls) });
      else this.goes(one, "never there");
    }
    for (const message of this.messages) message.isGone = messages.get(message) ?? true;
  }
}
