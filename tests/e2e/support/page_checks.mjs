// The checksums in the pages of a metadata file, as docs/formats/metadata.md has them: for tests
// that change the file behind the server's back.

import { readFileSync, writeFileSync } from "node:fs";

const pageBytes = 4096;
const checkBytes = 4;

const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc >>> 0;
});

// CRC-32C of `bytes`, begun with `crc`.
function crc32c(crc, bytes) {
  let sum = ~crc >>> 0;
  for (const byte of bytes) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return ~sum >>> 0;
}

// Makes every page agree with its checksum. Nothing may have the file open.
export function rewritePageChecks(file) {
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += pageBytes) {
    const end = at + pageBytes - checkBytes;
    bytes.writeUInt32LE(crc32c(at / pageBytes + 1, bytes.subarray(at, end)), end);
  }
  writeFileSync(file, bytes);
}
