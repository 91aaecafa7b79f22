// Random operations by several partners against a small model, checked after every step and after
// every restart. Prints its seed; the same seed does the same again.
//
//   node tests/soak/soak.mjs [--seed N] [--minutes N]

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { check, checkAll, checkMessage } from "./checks.mjs";
import { day, minute, uploadWindow } from "./model.mjs";
import { World } from "./world.mjs";

const looksPerStep = 2;
const openAtOnce = 6; // Operations under way when the server is killed.

function idle(world, choice = () => true) {
  const all = world.model.live().filter(choice);
  return all.length === 0 ? undefined : world.choices.pick(all);
}

const operations = [
  { weight: 20, name: "upload", run: (world) => world.upload() },
  { weight: 4, name: "create", run: (world) => world.create() },
  { weight: 3, name: "cut upload", run: (world) => world.cutUpload() },
  {
    weight: 3,
    name: "upload again",
    async run(world) {
      const one = idle(
        world,
        (each) =>
          each.uploadUrl && !each.isSent && world.now() < each.createdAt + uploadWindow - minute,
      );
      if (one) await world.putBytes(one);
      return one;
    },
  },
  {
    weight: 12,
    name: "send",
    async run(world) {
      const first = idle(world);
      if (!first) return undefined;
      const second = idle(world, (one) => one.partner === first.partner && one !== first);
      await world.send(first.partner, second ? [first, second] : [first]);
      return first;
    },
  },
  { weight: 8, name: "receive", run: (world) => world.receive() },
  {
    weight: 10,
    name: "delete",
    async run(world) {
      const all = world.model.attachments.filter((one) => one.status !== "gone" && !one.unsure);
      if (all.length === 0) return undefined;
      const one = world.choices.pick(all);
      await world.delete(one);
      return one;
    },
  },
  {
    weight: 3,
    name: "delete a message",
    async run(world) {
      const all = world.model.messages.filter((message) => !message.isGone);
      if (all.length > 0) await world.deleteMessage(world.choices.pick(all));
    },
  },
  {
    weight: 3,
    name: "preview",
    async run(world) {
      const one = idle(world, (each) => each.content.contentType.startsWith("image/"));
      if (one) await world.preview(one);
      return one;
    },
  },
  { weight: 2, name: "a minute goes by", run: (world) => world.jump(minute) },
  { weight: 1, name: "uploads lapse", run: (world) => world.jump(uploadWindow + minute) },
  { weight: 1, name: "a day goes by", run: (world) => world.jump(day) },
  { weight: 2, name: "change a tier", run: (world) => world.changeTier() },
  { weight: 1, name: "rotate keys", run: (world) => world.rotateKeys() },
  { weight: 2, name: "back up", run: (world) => world.backUp() },
  {
    weight: 1,
    name: "restore",
    async run(world) {
      if (!world.backup) return;
      await world.restore();
      await checkAll(world);
    },
  },

  {
    weight: 1,
    name: "restart",
    async run(world) {
      await world.stop();
      await world.start();
      await checkAll(world);
    },
  },
  { weight: 2, name: "kill -9", run: kill },
];

// Several things at once, of which any may have happened or not.
async function kill(world) {
  const targets = new Set();
  const begun = [];
  for (let i = 0; i < openAtOnce; i += 1) {
    const one = idle(world, (each) => !targets.has(each));
    if (one && world.choices.below(2) === 0) {
      targets.add(one);
      begun.push(world.delete(one));
    } else {
      begun.push(world.upload());
    }
  }
  const settled = Promise.allSettled(begun);
  await new Promise((resolve) => {
    setTimeout(resolve, world.choices.below(40));
  });
  await world.server.kill9();
  await settled;
  await world.start();
  await checkAll(world);
}

function chooser(choices) {
  const total = operations.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let at = choices.below(total);
    return operations.find(({ weight }) => (at -= weight) < 0);
  };
}

export async function soak({ seed, minutes, log = console.log }) {
  const cleanups = [];
  const folder = mkdtempSync(join(tmpdir(), "satchel-soak-"));
  const world = new World(folder, seed, { after: (cleanup) => cleanups.push(cleanup) });
  const done = new Map();
  const end = Date.now() + minutes * 60_000;
  const next = chooser(world.choices);
  let steps = 0;
  let name = "begin";
  try {
    await world.begin();
    while (Date.now() < end) {
      const operation = next();
      name = operation.name;
      const touched = await operation.run(world);
      if (touched) await check(world, touched);
      for (let i = 0; i < looksPerStep; i += 1) {
        const { attachments, messages } = world.model;
        if (attachments.length > 0) await check(world, world.choices.pick(attachments));
        if (messages.length > 0) await checkMessage(world, world.choices.pick(messages));
      }
      steps += 1;
      done.set(name, (done.get(name) ?? 0) + 1);
    }
    name = "the end";
    await checkAll(world);
    await world.stop();
  } catch (error) {
    error.message = `seed ${seed}, step ${steps} (${name}): ${error.message}`;
    log(world.server?.logTail() ?? "");
    throw error;
  } finally {
    if (world.server?.running) await world.server.kill9();
    for (const cleanup of cleanups) cleanup();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  const { attachments, messages } = world.model;
  const gone = attachments.filter(({ status }) => status === "gone").length;
  log(
    `soak: seed ${seed}: ${steps} steps, ${attachments.length} attachments (${gone} gone), ` +
      `${messages.length} messages: all as it must be`,
  );
  log([...done].map(([what, times]) => `${what} ${times}`).join(", "));
  assert.ok(steps > 0, "no time for a single step");
}

if (import.meta.main ?? process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = parseArgs({
    options: { seed: { type: "string" }, minutes: { type: "string", default: "1" } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`soak: seed ${seed}, ${values.minutes} min`);
  await soak({ seed, minutes: Number(values.minutes) });
}
