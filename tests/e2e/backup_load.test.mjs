// A backup while everything goes on: uploads, replacements and deletions. Then a restore of it, and
// what was promised about both.
//
// SATCHEL_BACKUP_ATTACHMENTS=10000 for the long form.

import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { backUp, download, fsckIsClean, restored } from "./support/backups.mjs";
import { findInFiles, query } from "./support/data_folder.mjs";
import { satchel, temporaryFolder } from "./support/program.mjs";
import { seededBytes, SeededChoices } from "./support/random.mjs";
import { startDev } from "./support/server.mjs";

const wanted = Number(process.env.SATCHEL_BACKUP_ATTACHMENTS ?? 400);
const workers = 8;
const tracedMax = 60;

const contentOf = (filename) => seededBytes(500 + filename.length * 100, filename);

class Load {
  constructor(server) {
    this.server = server;
    this.live = new Map(); // Id to the file name that its content is made of.
    this.deleted = new Set(); // Acknowledged.
    this.deleteMs = [];
    this.next = 0;
    this.going = true;
    this.choices = new SeededChoices(7);
  }

  async upload() {
    const filename = `file-${(this.next += 1)}.txt`;
    const created = await this.server.api.upload({
      filename,
      contentType: "text/plain",
      bytes: contentOf(filename),
    });
    this.live.set(created.attachment_id, filename);
    return created.attachment_id;
  }

  async delete(id) {
    // From here on nobody may count on it, and from the answer on nobody may find it.
    this.live.delete(id);
    const began = performance.now();
    const answer = await this.server.api.delete(id);
    this.deleteMs.push(performance.now() - began);
    assert.equal(answer.status, 204, String(answer.body));
    this.deleted.add(id);
  }

  async fill(count) {
    const one = async () => {
      while (this.next < count) await this.upload();
    };
    await Promise.all(Array.from({ length: workers }, one));
  }

  // Until stop(): uploads, and deletes as many.
  churn() {
    const one = async () => {
      while (this.going) {
        await this.upload();
        await this.delete(this.choices.pick([...this.live.keys()].slice(0, wanted)));
      }
    };
    this.churning = Promise.all(Array.from({ length: workers }, one));
  }

  async stop() {
    this.going = false;
    await this.churning;
  }
}

async function traces(dataFolder, max) {
  const rows = await query(
    dataFolder,
    `SELECT hex(a.id) AS id, hex(k.sealed) AS key, hex(a.blob) AS blob FROM attachments a
       JOIN attachment_keys k ON k.slot = a.key_slot WHERE a.blob IS NOT NULL LIMIT ${max}`,
  );
  return new Map(
    rows.map(({ id, key, blob }) => {
      const slot = Buffer.from(key, "hex");
      return [
        id.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
        [slot.subarray(1, 1 + slot[0]), Buffer.from(blob, "hex")],
      ];
    }),
  );
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

test(`backup of ${wanted} attachments under load, and its restore`, { timeout: 1_800_000 }, async (t) => {
  const backup = join(temporaryFolder(t), "backup");
  const server = await startDev(t);
  const load = new Load(server);
  await load.fill(wanted);
  const traced = await traces(server.folder, tracedMax * 4);

  load.churn();
  const promised = new Map(load.live);
  const began = performance.now();
  const report = await backUp(backup, server.folder);
  const took = performance.now() - began;
  assert.deepEqual(report.lost, []);
  const duringBackup = load.deleteMs.splice(0);
  assert.ok(duringBackup.length > 0);
  // What is deleted from here on the backup does not know.
  await load.stop();
  const later = [...promised.keys()].filter((id) => load.live.has(id)).slice(0, 20);
  assert.equal(later.length, 20);
  for (const id of later) await load.delete(id);
  const head = await satchel(["audit", "head", "--data", server.folder]);
  await server.stop();

  const outcome = await restored(backup, server.folder, "--replace");
  for (const path of outcome.replaced) rmSync(path, { recursive: true });
  assert.ok(outcome.ledger.entries >= 20, JSON.stringify(outcome.ledger));
  const checked = await fsckIsClean(server.folder);
  assert.equal(checked.audit_entries, JSON.parse(head.stdout).seq);
  assert.equal(checked.audit_entries, load.deleted.size);

  const gone = [...traced].filter(([id]) => load.deleted.has(id)).slice(0, tracedMax);
  assert.ok(gone.length > 0);
  const needles = gone.flatMap(([, bytes]) => bytes);
  assert.deepEqual(findInFiles(server.folder, needles), []);

  const again = await startDev(t, { data: server.folder });
  let compared = 0;
  const kept = [...promised].filter(([id]) => load.live.has(id));
  const reader = async (share) => {
    for (const [id, filename] of share) {
      assert.deepEqual(await download(again, id), contentOf(filename), filename);
      compared += 1;
    }
  };
  const shares = Array.from({ length: workers }, (_, k) => kept.filter((_, i) => i % workers === k));
  await Promise.all(shares.map(reader));
  assert.equal(compared, kept.length);
  assert.ok(compared > 0);
  for (const id of load.deleted) assert.equal((await again.api.get(id)).status, 404, id);
  t.diagnostic(
    `backup ${took.toFixed(0)} ms, ${report.attachments} attachments; ` +
      `${duringBackup.length} deletes meanwhile, p50 ${percentile(duringBackup, 0.5).toFixed(1)} ms, ` +
      `p99 ${percentile(duringBackup, 0.99).toFixed(1)} ms; ` +
      `${compared} compared, ${load.deleted.size} gone, ${gone.length} searched for`,
  );
});

test("a server that is killed while it makes a backup leaves the earlier one whole", { timeout: 600_000 }, async (t) => {
  const backup = join(temporaryFolder(t), "backup");
  const server = await startDev(t);
  const load = new Load(server);
  await load.fill(60);
  await backUp(backup, server.folder);
  const before = new Map(load.live);
  await load.fill(400);
  const running = satchel(["backup", backup, "--data", server.folder, "--json"]);
  await new Promise((resolve) => setImmediate(resolve));
  const started = await server.admin("GET", "/admin/v1/backup");
  assert.equal(started.status, 200);
  await server.kill9();
  await running; // Done or cut: the folder has a whole backup either way.
  const outcome = await restored(backup, server.folder, "--replace");
  assert.ok(outcome.attachments >= before.size);
  const again = await startDev(t, { data: server.folder });
  for (const [id, filename] of before) {
    assert.deepEqual(await download(again, id), contentOf(filename));
  }
  await again.stop();

  // And the next backup goes on where it was.
  const report = await backUp(backup, server.folder);
  assert.equal(report.attachments, outcome.attachments);
  assert.ok(!existsSync(join(backup, "backup.json.new")));
});
