// The scrubber: it finds what a disk has damaged, says so, and changes nothing.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { storedBlobs } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 180_000 };
const often = {
  SATCHEL_INTEGRITY__SCRUB_MIB_PER_SECOND: "1000",
  SATCHEL_INTEGRITY__SCRUB_INTERVAL_SECONDS: "1",
};

async function metrics(server) {
  const answer = await request(`${server.adminUrl}/metrics`);
  const values = [...answer.body.toString().matchAll(/^(satchel_scrub_\w+) (\S+)$/gm)];
  return Object.fromEntries(values.map(([, name, value]) => [name, Number(value)]));
}

function passes(server, after) {
  return until(
    async () => {
      const values = await metrics(server);
      return values.satchel_scrub_last_pass_timestamp_seconds > after && values;
    },
    { what: "a pass of the scrubber", deadlineMs: 60_000 },
  );
}

async function uploadSome(server, count, size) {
  const ids = [];
  for (let index = 0; index < count; index += 1) {
    const { attachment_id } = await server.api.upload({
      filename: `${index}.txt`,
      contentType: "text/plain",
      bytes: seededBytes(size, index),
    });
    ids.push(attachment_id);
  }
  return ids;
}

const now = () => Date.now() / 1000;

test("a flipped bit is logged with its attachment, counted, and left as it is", limit, async (t) => {
  const server = await startDev(t, { env: often });
  const ids = await uploadSome(server, 3, 100_000);
  const sound = await passes(server, now());
  assert.equal(sound.satchel_scrub_errors_total, 0);
  assert.ok(sound.satchel_scrub_bytes_total >= 300_000);
  assert.ok(sound.satchel_scrub_attachments_total >= 3);

  const file = join(server.folder, "blobs", storedBlobs(server.folder).stored[0]);
  const bytes = readFileSync(file);
  bytes[50_000] ^= 1;
  writeFileSync(file, bytes);
  const found = await until(
    async () => {
      const values = await metrics(server);
      return values.satchel_scrub_errors_total > 0 && values;
    },
    { what: "a finding", deadlineMs: 60_000 },
  );
  assert.ok(found.satchel_scrub_errors_total >= 1);
  const line = await until(() => /^.*scrub_found.*$/m.exec(server.output)?.[0], {
    what: "a line in the log",
  });
  const logged = JSON.parse(line);
  assert.ok(ids.includes(logged.attachment_id), line);
  assert.equal(logged.kind, "corrupt_bytes");
  assert.deepEqual(readFileSync(file), bytes);
  for (const id of ids) assert.equal((await server.api.get(id)).status, 200);
});

test("it keeps to its rate, and goes on where it was after a restart", limit, async (t) => {
  const slow = { ...often, SATCHEL_INTEGRITY__SCRUB_MIB_PER_SECOND: "1" };
  const off = { ...often, SATCHEL_INTEGRITY__SCRUB_MIB_PER_SECOND: "0" };
  const first = await startDev(t, { env: off });
  await uploadSome(first, 30, 1_000_000);
  assert.equal((await metrics(first)).satchel_scrub_bytes_total, 0);
  await first.stop();

  const started = now();
  const second = await startDev(t, { data: first.folder, env: slow });
  // The position is written every ten seconds at most.
  const stateFile = join(first.folder, "scrub.json");
  const state = await until(
    () => {
      try {
        const read = JSON.parse(readFileSync(stateFile, "utf8"));
        return /[1-9a-f]/.test(read.after) && second.running && metrics(second).then((m) => m.satchel_scrub_attachments_total >= 13 && read);
      } catch {
        return undefined;
      }
    },
    { what: "a third of the store", deadlineMs: 90_000 },
  );
  const seen = await metrics(second);
  const rate = seen.satchel_scrub_bytes_total / (now() - started);
  assert.ok(rate < 1.5 * 1024 * 1024, `${rate} bytes a second`);
  assert.equal(seen.satchel_scrub_last_pass_timestamp_seconds, 0);
  await second.stop();

  const third = await startDev(t, { data: first.folder, env: often });
  const rest = await passes(third, 0);
  assert.ok(state);
  assert.ok(rest.satchel_scrub_attachments_total < 30, JSON.stringify(rest));
});
