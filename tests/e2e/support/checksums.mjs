// The checksums that S3 clients send, as base64.

import { createHash } from "node:crypto";

function tableOf(polynomial) {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) {
      value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    }
    return value >>> 0;
  });
}

function crcWith(table, bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const table = tableOf(0xedb88320);
const tableC = tableOf(0x82f63b78);

export const crc32 = (bytes) => crcWith(table, bytes);
export const crc32c = (bytes) => crcWith(tableC, bytes);

function base64Of(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes.toString("base64");
}

// Header name → the value that fits `bytes`.
export function checksumHeaders(bytes) {
  return {
    "x-amz-checksum-sha256": createHash("sha256").update(bytes).digest("base64"),
    "x-amz-checksum-crc32": base64Of(crc32(bytes)),
    "x-amz-checksum-crc32c": base64Of(crc32c(bytes)),
    "content-md5": createHash("md5").update(bytes).digest("base64"),
  };
}
