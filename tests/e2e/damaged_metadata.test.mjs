// Bits that flip in the metadata's file (contract 10.11): found, wherever they are, by whatever
// reads them and by fsck, beside a running server and without one.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { change } from "./support/data_folder.mjs";
import { assertError } from "./support/partner_api.mjs";
import { satchel } from "./support/program.mjs";
import { DevServer, startDev } from "./support/server.mjs";

const limit = { timeout: 60_000 };
const pageBytes = 4096;

async function stoppedStore(t, files) {
  const server = await startDev(t);
  const ids = [];
  for (let i = 0; i < files; i += 1) {
    const filename = `${i}.txt`;
    const made = await server.api.create({ filename, contentType: "text/plain", size: 4 });
    ids.push(made.attachment_id);
  }
  await server.stop();
  const file = join(server.folder, "satchel.db");
  return { server, file, good: readFileSync(file), ids };
}

function flip(file, good, at) {
  const bad = Buffer.from(good);
  bad[at] ^= 1 << at % 8;
  writeFileSync(file, bad);
}

async function fsckOf(folder, ...options) {
  const args = ["fsck", ...options, "--data", folder, "--json"];
  const { code, stdout, stderr } = await satchel(args);
  return { code, stderr, findings: stdout === "" ? [] : JSON.parse(stdout).findings };
}

test("fsck names the page in which a bit has flipped, or cannot begin and says why", limit, async (t) => {
  const { server, file, good } = await stoppedStore(t, 3);
  assert.equal((await fsckOf(server.folder)).code, 0);
  const pages = good.length / pageBytes;
  assert.ok(pages > 20);
  for (let page = 1; page <= pages; page += 1) {
    flip(file, good, (page - 1) * pageBytes + (page % 8)); // In use on pages of every kind.
    const { code, stderr, findings } = await fsckOf(server.folder);
    if (findings.length === 0) {
      assert.equal(code, 1, `page ${page}`);
      assert.match(stderr, /damaged/);
    } else {
      assert.equal(code, 1);
      const [first] = findings;
      assert.deepEqual([first.kind, first.subject], ["corrupt_database", `page ${page}`]);
    }
  }
  writeFileSync(file, good);
  assert.equal((await fsckOf(server.folder)).code, 0);
});

test("a start on a damaged first page says what is wrong and what to do", limit, async (t) => {
  const { server, file, good } = await stoppedStore(t, 1);
  flip(file, good, 70);
  const { code, stderr } = await satchel(["dev", "--data", server.folder, "--port", "0"]);
  assert.notEqual(code, 0);
  assert.match(stderr, /cannot use the metadata in .*satchel\.db.*damaged.*restore/);
});

test("what stands on a damaged page is refused, and fsck finds it beside the server", limit, async (t) => {
  const { server, file, good, ids } = await stoppedStore(t, 300);
  const pagesOf = (id) => {
    const raw = Buffer.from(id.replaceAll("-", ""), "hex");
    const starts = Array.from({ length: good.length / pageBytes }, (_, i) => i * pageBytes);
    return starts.filter((at) => good.subarray(at, at + pageBytes).includes(raw));
  };
  // Leaves of a table or an index, on which nothing else depends.
  const isLeaf = (at) => [0x0a, 0x0d].includes(good[at]);
  const hit = ids.find((id) => pagesOf(id).every(isLeaf));
  const pages = pagesOf(hit);
  const spared = ids.find((id) => !pagesOf(id).some((at) => pages.includes(at)));
  const bad = Buffer.from(good);
  for (const at of pages) bad[at + pageBytes - 1] ^= 4;
  writeFileSync(file, bad);
  const again = new DevServer(server.folder, [], {});
  t.after(() => again.kill9());
  await again.becomeReady();
  assertError(await again.api.get(hit), 500, 3006);
  assert.equal((await again.api.get(spared)).status, 200);
  const { code, findings } = await fsckOf(server.folder);
  assert.equal(code, 1);
  const named = findings.filter(({ subject }) => subject.startsWith("page "));
  assert.deepEqual(
    named.map(({ kind, subject }) => [kind, subject]),
    pages.map((at) => ["corrupt_database", `page ${at / pageBytes + 1}`]),
  );
});

test("a wrong count is put right by fsck --repair", limit, async (t) => {
  const { server } = await stoppedStore(t, 3);
  await change(server.folder, "UPDATE partner_usage SET pending = pending + 5");
  const kinds = ({ findings }) => findings.map(({ kind, repaired }) => [kind, repaired]);
  assert.deepEqual(kinds(await fsckOf(server.folder)), [["wrong_usage", false]]);
  assert.deepEqual(kinds(await fsckOf(server.folder, "--repair")), [["wrong_usage", true]]);
  assert.deepEqual(kinds(await fsckOf(server.folder)), []);
});
