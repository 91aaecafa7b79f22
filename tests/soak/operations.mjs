// What happens, and how often each comes.

import { check, checkAll } from "./checks.mjs";
import { adoptUnanswered } from "./house.mjs";
import { day, minute, uploadWindow } from "./model.mjs";
import {
  backUp, changeTier, erase, replayWebhooks, restore, rotateKeys, squeeze,
} from "./operator.mjs";

const openAtOnce = 6; // Operations under way when the server is killed.

function idle(world, choice = () => true) {
  const all = world.model.live().filter(choice);
  return all.length === 0 ? undefined : world.choices.pick(all);
}

export const operations = [
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
  { weight: 2, name: "change a tier", run: changeTier },
  { weight: 1, name: "rotate keys", run: rotateKeys },
  { weight: 2, name: "quota", run: squeeze },
  {
    weight: 2,
    name: "erase",
    async run(world) {
      for (const one of await erase(world)) await check(world, one);
    },
  },
  { weight: 1, name: "replay webhooks", run: replayWebhooks },
  { weight: 2, name: "back up", run: backUp },
  {
    weight: 1,
    name: "restore",
    async run(world) {
      if (!world.backup) return;
      await restore(world);
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
  await adoptUnanswered(world, begun.length);
  await checkAll(world);
}
