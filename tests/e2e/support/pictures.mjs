// Pictures in the formats people send, made by encoders: jpeg-js and gifenc, and small writers
// for the formats whose encoding is a page of their specification.

import { createRequire } from "node:module";
import { deflateSync } from "node:zlib";

import { crc32 } from "./checksums.mjs";

const require = createRequire(import.meta.url);
const { GIFEncoder, quantize, applyPalette } = require("gifenc");
const jpegJs = require("jpeg-js");

// Soft colours with some grain, so that it compresses as a photo does. RGBA.
export function drawing(width, height, phase = 0) {
  const data = Buffer.alloc(width * height * 4);
  let grain = 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      grain = (Math.imul(grain, 1103515245) + 12345) & 0x7fffffff;
      const noise = (grain >> 16) & 15;
      const at = (y * width + x) * 4;
      data[at] = (Math.sin(x / 17 + phase) * 100 + 120 + noise) & 255;
      data[at + 1] = (Math.cos(y / 23 + phase) * 100 + 120 + noise) & 255;
      data[at + 2] = ((x + y) / 4 + noise) & 255;
      data[at + 3] = 255;
    }
  }
  return { width, height, data };
}

export function jpeg(picture, quality = 90) {
  return jpegJs.encode(picture, quality).data;
}

export function gif(pictures) {
  const encoder = GIFEncoder();
  for (const { width, height, data } of pictures) {
    const palette = quantize(data, 256);
    encoder.writeFrame(applyPalette(data, palette), width, height, { palette, delay: 100 });
  }
  encoder.finish();
  return Buffer.from(encoder.bytes());
}

export function pngChunk(type, content) {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const chunk = Buffer.alloc(typed.length + 8);
  chunk.writeUInt32BE(content.length, 0);
  typed.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typed), typed.length + 4);
  return chunk;
}

export function png({ width, height, data }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits, RGBA.
  const rows = Buffer.alloc(height * (width * 4 + 1));
  for (let y = 0; y < height; y += 1) {
    data.copy(rows, y * (width * 4 + 1) + 1, y * width * 4, (y + 1) * width * 4);
  }
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(rows)),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

// 24 bits, bottom row first.
export function bmp({ width, height, data }) {
  const stride = (width * 3 + 3) & ~3;
  const out = Buffer.alloc(54 + stride * height);
  out.write("BM", 0, "latin1");
  out.writeUInt32LE(out.length, 2);
  out.writeUInt32LE(54, 10);
  out.writeUInt32LE(40, 14);
  out.writeInt32LE(width, 18);
  out.writeInt32LE(height, 22);
  out.writeUInt16LE(1, 26);
  out.writeUInt16LE(24, 28);
  out.writeUInt32LE(stride * height, 34);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = ((height - 1 - y) * width + x) * 4;
      out.set([data[from + 2], data[from + 1], data[from]], 54 + y * stride + x * 3);
    }
  }
  return out;
}

// One strip, uncompressed RGBA, little-endian.
export function tiff({ width, height, data }) {
  const header = Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  const entries = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 4, 0], // BitsPerSample: four times 8, behind the directory.
    [259, 3, 1, 1],
    [262, 3, 1, 2],
    [273, 4, 1, 0], // StripOffsets.
    [277, 3, 1, 4],
    [278, 4, 1, height],
    [279, 4, 1, data.length],
    [338, 3, 1, 2],
  ];
  const behind = 8 + 2 + entries.length * 12 + 4;
  entries[2][3] = behind;
  entries[5][3] = behind + 8;
  const directory = Buffer.alloc(behind - 8 + 8);
  directory.writeUInt16LE(entries.length, 0);
  entries.forEach(([tag, type, count, value], index) => {
    const at = 2 + index * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    directory.writeUInt32LE(value, at + 8);
  });
  for (let i = 0; i < 4; i += 1) directory.writeUInt16LE(8, behind - 8 + i * 2);
  return Buffer.concat([header, directory, data]);
}

// One PNG in an icon directory. At most 256 pixels a side.
export function icon(picture) {
  const image = png(picture);
  const header = Buffer.alloc(22);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(1, 4);
  header[6] = picture.width & 255;
  header[7] = picture.height & 255;
  header.writeUInt16LE(1, 10);
  header.writeUInt16LE(32, 12);
  header.writeUInt32LE(image.length, 14);
  header.writeUInt32LE(22, 18);
  return Buffer.concat([header, image]);
}

// Colours that every colour space has.
export const quarterColours = {
  topLeft: [180, 60, 50],
  topRight: [60, 150, 70],
  bottomLeft: [50, 60, 160],
  bottomRight: [200, 190, 80],
};

// A picture of four colours. RGBA.
export function quarters(width, height) {
  const { topLeft, topRight, bottomLeft, bottomRight } = quarterColours;
  const data = Buffer.alloc(width * height * 4, 255);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [left, right] = y * 2 < height ? [topLeft, topRight] : [bottomLeft, bottomRight];
      data.set(x * 2 < width ? left : right, (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

// A JPEG whose EXIF tells its orientation, its camera and where it was taken.
export const camera = "Satchel Testcam 9";
export function taggedJpeg(picture, orientation) {
  const entry = (tag, type, count, value) => {
    const out = Buffer.alloc(12);
    out.writeUInt16BE(tag, 0);
    out.writeUInt16BE(type, 2);
    out.writeUInt32BE(count, 4);
    if (type === 3) out.writeUInt16BE(value, 8);
    else if (typeof value === "string") out.write(value, 8, "latin1");
    else out.writeUInt32BE(value, 8);
    return out;
  };
  const directory = (...entries) => {
    const count = Buffer.alloc(2);
    count.writeUInt16BE(entries.length);
    return Buffer.concat([count, ...entries, Buffer.alloc(4)]);
  };
  const rational = (...values) => {
    const out = Buffer.alloc(values.length * 8);
    values.forEach((value, index) => {
      out.writeUInt32BE(value, index * 8);
      out.writeUInt32BE(1, index * 8 + 4);
    });
    return out;
  };
  const model = Buffer.from(`${camera}\0`, "latin1");
  const first = (modelAt, gpsAt) =>
    directory(
      entry(0x110, 2, model.length, modelAt),
      entry(0x112, 3, 1, orientation),
      entry(0x8825, 4, 1, gpsAt),
    );
  const modelAt = 8 + first(0, 0).length;
  const gpsAt = modelAt + model.length;
  const gps = (at) =>
    directory(
      entry(1, 2, 2, "N\0"),
      entry(2, 5, 3, at),
      entry(3, 2, 2, "E\0"),
      entry(4, 5, 3, at + 24),
    );
  const positionAt = gpsAt + gps(0).length;
  const exif = Buffer.concat([
    Buffer.from("Exif\0\0MM\0*\0\0\0\x08", "latin1"),
    first(modelAt, gpsAt),
    model,
    gps(positionAt),
    rational(59, 54, 50, 10, 45, 8),
  ]);
  const marker = Buffer.from([0xff, 0xe1, 0, 0]);
  marker.writeUInt16BE(exif.length + 2, 2);
  const plain = jpeg(picture);
  return Buffer.concat([plain.subarray(0, 2), marker, exif, plain.subarray(2)]);
}
