// Random operations by several partners against a small model, checked after every step and after
// every restart. Prints its seed; the same seed does the same again.
//
//   node tests/soak/soak.mjs [--seed N] [--minutes N] [--gateway sandbox|http]

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { gateways } from "./carrier.mjs";
import { check, checkAll, checkMessage } from "./checks.mjs";
import { checkCommands } from "./house.mjs";
import { operations } from "./operations.mjs";
import { World } from "./world.mjs";

const looksPerStep = 2;

function chooser(choices) {
  const total = operations.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let at = choices.below(total);
    return operations.find(({ weight }) => (at -= weight) < 0);
  };
}

// One step, and a look at what it touched and at a few others.
async function step(world, operation) {
  const touched = await operation.run(world);
  world.hear();
  if (touched) await check(world, touched);
  for (let i = 0; i < looksPerStep; i += 1) {
    const { attachments, messages } = world.model;
    if (attachments.length > 0) await check(world, world.choices.pick(attachments));
    if (messages.length > 0) await checkMessage(world, world.choices.pick(messages));
  }
}

// Throws what went wrong, with the seed, the step and how to do it again.
export async function soak({ seed, minutes, gateway, log = console.log }) {
  const cleanups = [];
  const folder = mkdtempSync(join(tmpdir(), "satchel-soak-"));
  const t = { after: (cleanup) => cleanups.push(cleanup) };
  const world = new World(folder, { seed, gateway }, t);
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
      await step(world, operation);
      steps += 1;
      done.set(name, (done.get(name) ?? 0) + 1);
    }
    name = "the end";
    await checkAll(world);
    await checkCommands(world);
    await world.stop();
  } catch (error) {
    log(world.server?.logTail() ?? "");
    const place = `soak: seed ${seed}, gateway ${gateway}, step ${steps} (${name})`;
    const options = `--seed ${seed} --minutes ${minutes} --gateway ${gateway}`;
    const again = `again: node tests/soak/soak.mjs ${options}`;
    throw new Error(`${place}: ${error.message}\n${again}`, { cause: error });
  } finally {
    if (world.server?.running) await world.server.kill9();
    for (const cleanup of cleanups) await cleanup();
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
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "1" },
      gateway: { type: "string" },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const gateway = values.gateway ?? gateways[seed % 3 === 0 ? 1 : 0];
  assert.ok(gateways.includes(gateway), `--gateway: ${gateways.join(" or ")}`);
  console.log(`soak: seed ${seed}, gateway ${gateway}, ${values.minutes} min`);
  await soak({ seed, minutes: Number(values.minutes), gateway });
}
