// Files that other programs make, and what other programs say of files: ffmpeg, libvips and
// libtiff's tools.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "./program.mjs";

async function succeed(program, args, options) {
  const ran = await run(program, args, options);
  assert.equal(ran.code, 0, `${program} ${args.join(" ")}\n${ran.stderr}`);
  return ran;
}

async function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), "satchel-media-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Runs `program` on files: in `args` a word that is a key of `inputs` becomes the path of a file
// with these bytes, and what begins with `output` the path of the file whose bytes are returned.
export function through(program, args, inputs, output) {
  return inFolder(async (folder) => {
    for (const [name, bytes] of Object.entries(inputs)) writeFileSync(join(folder, name), bytes);
    const names = [...Object.keys(inputs), output];
    const isPath = (word) => names.some((name) => word.replace(/\[.*/s, "") === name);
    const words = args.map((word) => (isPath(word) ? join(folder, word) : word));
    await succeed(program, words);
    return readFileSync(join(folder, output));
  });
}

// ffmpeg with these words between its inputs and its output: the file `name`.
export const ffmpeg = (words, name, inputs = {}) =>
  through("ffmpeg", ["-nostdin", "-v", "error", ...words, name], inputs, name);

const source = (kind) => ["-f", "lavfi", "-i", kind];

// A tone as `name`, encoded as `words` say.
export const sound = (words, name, seconds = 2, rate = 44_100) =>
  ffmpeg(
    [...source(`sine=frequency=440:duration=${seconds}:sample_rate=${rate}`), ...words],
    name,
  );

// A test picture that moves, with or without sound.
export const film = (words, name, { seconds = 1, size = "96x64", withSound = true } = {}) =>
  ffmpeg(
    [
      ...source(`testsrc=size=${size}:rate=10:duration=${seconds}`),
      ...(withSound ? source(`sine=duration=${seconds}`) : []),
      "-pix_fmt",
      "yuv420p",
      ...words,
    ],
    name,
  );

// libvips' `operation` on a picture, saved as `name`, which may have options: "a.tif[compression=lzw]".
export const vips = (operation, picture, name, ...words) =>
  through("vips", [operation, "in", name, ...words], { in: picture }, name.replace(/\[.*/s, ""));

// Streams and format as ffprobe tells of them.
export const probe = (bytes) =>
  inFolder(async (folder) => {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    const words = ["-v", "error", "-of", "json", "-show_format", "-show_streams", path];
    return JSON.parse((await succeed("ffprobe", words)).stdout);
  });

// What libvips reads from the header of a picture, one `name: value` a line.
export const pictureHeader = (bytes) =>
  inFolder(async (folder) => {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    return (await succeed("vipsheader", ["-a", path])).stdout;
  });

// The pixels of a JPEG as djpeg has them: { width, height, at(x, y) -> [r, g, b] }.
export async function jpegPixels(bytes) {
  const { stdout } = await succeed("djpeg", ["-rgb", "-pnm"], { input: bytes, binary: true });
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(stdout.subarray(0, 64).toString("latin1"));
  assert.ok(head, "a PPM of three channels");
  const [width, height] = [Number(head[1]), Number(head[2])];
  const pixels = stdout.subarray(head[0].length);
  assert.equal(pixels.length, width * height * 3);
  const at = (x, y) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  return { width, height, at };
}
