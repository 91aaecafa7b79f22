// Bytes and choices that a seed repeats.

import { createCipheriv, createHash } from "node:crypto";

// No executable, FLAC or OGG begins like this: chance must not make forbidden content.
const harmlessFirstByte = 0x89;

// `size` bytes that do not compress; the same for the same seed.
export function seededBytes(size, seed = "satchel") {
  const key = createHash("sha256").update(String(seed)).digest();
  const bytes = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
  if (size > 0) bytes[0] = harmlessFirstByte;
  return bytes;
}

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

// Choices from a seed: below(n), pick(list).
export class SeededChoices {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}
