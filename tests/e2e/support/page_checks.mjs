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

// The page as it is with what a b-tree page does not use cleared ("B-tree Pages" in SQLite's
// description of its file format).
function withoutUnused(page, headerAt) {
  const cleared = Buffer.from(page);
  const type = page[headerAt];
  const isInterior = type === 0x02 || type === 0x05;
  if (!isInterior && type !== 0x0a && type !== 0x0d) return cleared;
  const pointersAt = headerAt + (isInterior ? 12 : 8);
  const cells = page.readUInt16BE(headerAt + 3);
  const firstCell = page.readUInt16BE(headerAt + 5);
  cleared.fill(0, pointersAt + 2 * cells, firstCell);
  for (let block = page.readUInt16BE(headerAt + 1); block !== 0; ) {
    cleared.fill(0, block + 4, block + page.readUInt16BE(block + 2));
    block = page.readUInt16BE(block);
  }
  return cleared;
}

// Makes every page agree with its checksum. Nothing may have the file open.
export function rewritePageChecks(file) {
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += pageBytes) {
    const page = withoutUnused(bytes.subarray(at, at + pageBytes), at === 0 ? 100 : 0);
    const end = pageBytes - checkBytes;
    bytes.writeUInt32LE(crc32c(at / pageBytes + 1, page.subarray(0, end)), at + end);
  }
  writeFileSync(file, bytes);
}
