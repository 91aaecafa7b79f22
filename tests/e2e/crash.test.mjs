// kill -9 under load, again and again on the same folder. What was acknowledged holds: every
// upload whole, no deleted file back, nothing left lying about.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { query, storedBlobs } from "./support/data_folder.mjs";
import { request } from "./support/http_client.mjs";
import { jsonOf, put } from "./support/partner_api.mjs";
import { satchel, temporaryFolder } from "./support/program.mjs";
import { SeededChoices, seededBytes } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const rounds = 5;
const workers = 12;
const sizes = [1, 1000, 65_535, 65_536, 65_537, 300_000, 1_200_000];

// What the outside world knows of an attachment: `contents` are the seeds it may now hold,
// undefined for none; `deleted`: "no", "asked" (no answer came) or "yes".
class Known {
  constructor(created, size) {
    this.id = created.attachment_id;
    this.path = new URL(created.download_url).pathname;
    this.upload = created;
    this.size = size;
    this.contents = [undefined];
    this.deleted = "no";
    this.busy = false;
  }
}

class Load {
  constructor(server, known, choices) {
    this.server = server;
    this.known = known;
    this.choices = choices;
    this.stopped = false;
    this.acknowledged = 0;
  }

  async worker() {
    while (!this.stopped) {
      try {
        await this.step();
      } catch {
        // The kill cuts requests; before it none may fail, which the acknowledgements show.
        if (!this.server.running || this.stopped) return;
        throw new Error("a request failed while the server was alive");
      }
    }
  }

  idle(choice) {
    const all = this.known.filter((one) => !one.busy && one.deleted === "no" && choice(one));
    return all.length === 0 ? undefined : this.choices.pick(all);
  }

  async step() {
    const dice = this.choices.below(10);
    if (dice < 3) {
      const victim = this.idle((one) => one.contents.length === 1 && one.contents[0] !== undefined);
      if (victim) return this.delete(victim);
    }
    if (dice === 3) {
      const again = this.idle((one) => one.round === this.round);
      if (again) return this.put(again);
    }
    const size = this.choices.pick(sizes);
    const created = await this.server.api.create({ contentType: "image/png", size });
    const one = new Known(created, size);
    one.round = this.round;
    this.known.push(one);
    return this.put(one);
  }

  async put(one) {
    one.busy = true;
    const seed = this.choices.below(1e9);
    const before = one.contents;
    one.contents = [...before, seed]; // Until the answer: either.
    const answer = await put(one.upload, seededBytes(one.size, seed));
    assert.equal(answer.status, 200, String(answer.body));
    one.contents = [seed];
    one.busy = false;
    this.acknowledged += 1;
  }

  async delete(one) {
    one.busy = true;
    one.deleted = "asked";
    const answer = await this.server.api.delete(one.id);
    assert.equal(answer.status, 204, String(answer.body));
    one.deleted = "yes";
    one.busy = false;
    this.acknowledged += 1;
  }
}

// Looks at one attachment after a restart and settles what was uncertain.
async function check(server, one) {
  const [answer, download] = [
    await server.api.get(one.id),
    await request(server.origin + one.path),
  ];
  one.busy = false;
  if (one.deleted !== "no") {
    if (answer.status === 404) {
      assert.equal(download.status, 404);
      one.deleted = "yes";
      return;
    }
    assert.equal(one.deleted, "asked", `${one.id} was deleted and is back`);
    one.deleted = "no";
  }
  assert.equal(answer.status, 200, `${one.id} was acknowledged and is gone`);
  const { status } = jsonOf(answer);
  if (status === "pending") {
    assert.ok(one.contents.includes(undefined), `${one.id} was uploaded and is pending`);
    assert.equal(download.status, 404);
    one.contents = [undefined];
    return;
  }
  assert.equal(status, "complete");
  assert.equal(download.status, 200);
  assert.equal(download.body.length, one.size);
  const seed = one.contents.find(
    (each) => each !== undefined && seededBytes(one.size, each).equals(download.body),
  );
  assert.notEqual(seed, undefined, `${one.id} holds bytes that it should not`);
  one.contents = [seed];
}

async function assertTidy(server, known) {
  const complete = known.filter((one) => one.deleted === "no" && one.contents[0] !== undefined);
  const { stored, incoming } = storedBlobs(server.folder);
  assert.deepEqual(incoming, [], "leftovers of uploads");
  const rows = await query(
    server.folder,
    "SELECT lower(hex(blob)) AS blob FROM attachments WHERE blob IS NOT NULL",
  );
  const names = stored.map((path) => path.replace(/^.*\//, "").replaceAll("-", "")).sort();
  assert.deepEqual(names, rows.map((row) => row.blob).sort(), "stray or missing files");
  assert.equal(names.length, complete.length);
  const fsck = await satchel(["fsck", "--data", server.folder], { deadlineMs: 120_000 });
  assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
}

test("kill -9 under load loses and resurrects nothing", { timeout: 600_000 }, async (t) => {
  const seed = Number(process.env.SATCHEL_E2E_SEED ?? Date.now() % 1e9);
  t.diagnostic(`seed ${seed}: repeat with SATCHEL_E2E_SEED=${seed}`);
  const choices = new SeededChoices(seed);
  const data = join(temporaryFolder(t), "data");
  const known = [];
  let acknowledged = 0;

  for (let round = 0; round < rounds; round += 1) {
    const server = await startDev(t, { data });
    for (const one of known) await check(server, one);
    await assertTidy(server, known);

    const load = new Load(server, known, choices);
    load.round = round; // Upload URLs name the port of their own round.
    const running = Array.from({ length: workers }, () => load.worker());
    const enough = 200 + choices.below(500);
    await until(() => load.acknowledged >= enough, { what: `${enough} answers`, deadlineMs: 60_000 });
    load.stopped = true;
    await server.kill9();
    await Promise.all(running);
    acknowledged += load.acknowledged;
  }

  const server = await startDev(t, { data });
  for (const one of known) await check(server, one);
  await assertTidy(server, known);
  t.diagnostic(`${acknowledged} acknowledged uploads and deletes in ${rounds} rounds`);
  assert.ok(
    acknowledged > rounds * 5,
    `only ${acknowledged} acknowledgements: no load to speak of`,
  );
});
