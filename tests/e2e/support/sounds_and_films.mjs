// Sounds: PCM in the usual boxes, MP3 by lamejs. Films: Motion JPEG in AVI and QuickTime.

import { Mp3Encoder } from "@breezystack/lamejs";

import { drawing, jpeg } from "./pictures.mjs";

const rate = 44100;

// A falling tone, 16 bits, one channel.
export function tone(seconds) {
  return Int16Array.from({ length: Math.round(rate * seconds) }, (_, index) => {
    const time = index / rate;
    return Math.round(Math.sin(2 * Math.PI * (880 - 200 * time) * time) * 12000);
  });
}

function pcm(samples, bigEndian) {
  const out = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) =>
    bigEndian ? out.writeInt16BE(sample, index * 2) : out.writeInt16LE(sample, index * 2),
  );
  return out;
}

// name, little-endian size, content, padded to an even length.
function riffChunk(name, ...contents) {
  const content = Buffer.concat(contents);
  const head = Buffer.alloc(8);
  head.write(name, 0, "latin1");
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length & 1)]);
}

function riffList(kind, type, ...chunks) {
  return riffChunk(kind, Buffer.from(type, "latin1"), ...chunks);
}

function fields(writer, ...values) {
  const out = Buffer.alloc(values.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of values) {
    if (typeof value === "string") out.write(value, at, "latin1");
    else if (size === 1) out.writeUInt8(value, at);
    else out[`writeUInt${size * 8}${writer}`](value, at);
    at += size;
  }
  return out;
}
const little = (...values) => fields("LE", ...values);
const big = (...values) => fields("BE", ...values);

export function wav(samples) {
  const format = little([2, 1], [2, 1], [4, rate], [4, rate * 2], [2, 2], [2, 16]);
  return riffList(
    "RIFF",
    "WAVE",
    riffChunk("fmt ", format),
    riffChunk("data", pcm(samples, false)),
  );
}

export function aiff(samples) {
  const chunk = (name, content) => Buffer.concat([big([4, name], [4, content.length]), content]);
  const rate80 = Buffer.from([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]); // 44100 as an 80-bit float.
  const common = Buffer.concat([big([2, 1], [4, samples.length], [2, 16]), rate80]);
  const sound = Buffer.concat([Buffer.alloc(8), pcm(samples, true)]);
  return chunk(
    "FORM",
    Buffer.concat([big([4, "AIFF"]), chunk("COMM", common), chunk("SSND", sound)]),
  );
}

export function caf(samples) {
  const chunk = (name, content) =>
    Buffer.concat([big([4, name], [4, 0], [4, content.length]), content]);
  const rateBytes = Buffer.alloc(8);
  rateBytes.writeDoubleBE(rate);
  const description = Buffer.concat([
    rateBytes,
    big([4, "lpcm"], [4, 0], [4, 2], [4, 1], [4, 1], [4, 16]),
  ]);
  return Buffer.concat([
    big([4, "caff"], [2, 1], [2, 0]),
    chunk("desc", description),
    chunk("data", Buffer.concat([Buffer.alloc(4), pcm(samples, true)])),
  ]);
}

export function mp3(samples) {
  const encoder = new Mp3Encoder(1, rate, 128);
  const parts = [];
  for (let at = 0; at < samples.length; at += 1152) {
    parts.push(Buffer.from(encoder.encodeBuffer(samples.subarray(at, at + 1152))));
  }
  parts.push(Buffer.from(encoder.flush()));
  return Buffer.concat(parts);
}

// A scale.
export function midi() {
  const notes = [60, 62, 64, 65, 67, 69, 71, 72];
  const events = notes.flatMap((note) => [0, 0x90, note, 96, 96, 0x80, note, 0]);
  const track = Buffer.from([...events, 0, 0xff, 0x2f, 0]);
  return Buffer.concat([
    big([4, "MThd"], [4, 6], [2, 0], [2, 1], [2, 96]),
    big([4, "MTrk"], [4, track.length]),
    track,
  ]);
}

const filmSize = { width: 160, height: 120 };
function filmFrames(count) {
  return Array.from({ length: count }, (_, index) =>
    jpeg(drawing(filmSize.width, filmSize.height, index / 5), 80),
  );
}

export function avi(frameCount) {
  const { width, height } = filmSize;
  const frames = filmFrames(frameCount);
  const largest = Math.max(...frames.map((frame) => frame.length));
  const header = little(
    [4, 100_000],
    [4, largest * 10],
    [4, 0],
    [4, 0x10],
    [4, frameCount],
    [4, 0],
    [4, 1],
    [4, largest],
    [4, width],
    [4, height],
    [4, 0],
    [4, 0],
    [4, 0],
    [4, 0],
  );
  const stream = little(
    [4, "vids"],
    [4, "MJPG"],
    [4, 0],
    [4, 0],
    [4, 0],
    [4, 1],
    [4, 10],
    [4, 0],
    [4, frameCount],
    [4, largest],
    [4, 10_000],
    [4, 0],
    [2, 0],
    [2, 0],
    [2, width],
    [2, height],
  );
  const format = little(
    [4, 40],
    [4, width],
    [4, height],
    [2, 1],
    [2, 24],
    [4, "MJPG"],
    [4, width * height * 3],
    [4, 0],
    [4, 0],
    [4, 0],
    [4, 0],
  );
  const chunks = frames.map((frame) => riffChunk("00dc", frame));
  let offset = 4;
  const index = chunks.map((chunk, at) => {
    const entry = little([4, "00dc"], [4, 0x10], [4, offset], [4, frames[at].length]);
    offset += chunk.length;
    return entry;
  });
  return riffList(
    "RIFF",
    "AVI ",
    riffList(
      "LIST",
      "hdrl",
      riffChunk("avih", header),
      riffList("LIST", "strl", riffChunk("strh", stream), riffChunk("strf", format)),
    ),
    riffList("LIST", "movi", ...chunks),
    riffChunk("idx1", ...index),
  );
}

function atom(name, ...contents) {
  const content = Buffer.concat(contents);
  return Buffer.concat([big([4, content.length + 8], [4, name]), content]);
}

// The films' tables, with the frames beginning at `dataAt`.
function movieAtom(frames, dataAt) {
  const { width, height } = filmSize;
  const ticks = frames.length * 60;
  const matrix = big([4, 0x10000], [12, ""], [4, 0x10000], [12, ""], [4, 0x40000000]);
  const description = big(
    [4, 86],
    [4, "jpeg"],
    [4, 0],
    [2, 0],
    [2, 1],
    [4, 0],
    [4, "e2e "],
    [4, 0],
    [4, 512],
    [2, width],
    [2, height],
    [4, 0x480000],
    [4, 0x480000],
    [4, 0],
    [2, 1],
    [32, ""],
    [2, 24],
    [2, 0xffff],
  );
  const sampleTable = atom(
    "stbl",
    atom("stsd", big([4, 0], [4, 1]), description),
    atom("stts", big([4, 0], [4, 1], [4, frames.length], [4, 60])),
    atom("stsc", big([4, 0], [4, 1], [4, 1], [4, frames.length], [4, 1])),
    atom(
      "stsz",
      big([4, 0], [4, 0], [4, frames.length], ...frames.map((frame) => [4, frame.length])),
    ),
    atom("stco", big([4, 0], [4, 1], [4, dataAt])),
  );
  const handler = (type, subtype) => atom("hdlr", big([4, 0], [4, type], [4, subtype], [13, ""]));
  const media = atom(
    "mdia",
    atom("mdhd", big([4, 0], [4, 0], [4, 0], [4, 600], [4, ticks], [4, 0])),
    handler("mhlr", "vide"),
    atom(
      "minf",
      atom("vmhd", big([4, 1], [8, ""])),
      handler("dhlr", "alis"),
      atom("dinf", atom("dref", big([4, 0], [4, 1]), atom("alis", big([4, 1])))),
      sampleTable,
    ),
  );
  const track = atom(
    "trak",
    atom(
      "tkhd",
      big([4, 15], [4, 0], [4, 0], [4, 1], [4, 0], [4, ticks], [8, ""], [8, ""]),
      matrix,
      big([4, width * 65536], [4, height * 65536]),
    ),
    media,
  );
  const header = Buffer.concat([
    big([4, 0], [4, 0], [4, 0], [4, 600], [4, ticks], [4, 0x10000], [2, 0x100], [10, ""]),
    matrix,
    big([24, ""], [4, 2]),
  ]);
  return atom("moov", atom("mvhd", header), track);
}

export function quicktime(frameCount) {
  const frames = filmFrames(frameCount);
  const type = atom("ftyp", big([4, "qt  "], [4, 0x200], [4, "qt  "]));
  const tables = movieAtom(frames, 0).length;
  return Buffer.concat([
    type,
    movieAtom(frames, type.length + tables + 8),
    atom("mdat", ...frames),
  ]);
}
