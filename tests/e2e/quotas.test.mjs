// Quotas and how often a partner may call, as clients and the operator see them.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  line, media, mediaUrl, newChat, photo, receive, sendInto, startOrigin, text, upload,
} from "./support/messaging.mjs";
import { PartnerApi, assertError, assertXmlError, jsonOf, put } from "./support/partner_api.mjs";
import { satchel, satchelJson } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const ask = { filename: "a.txt", content_type: "text/plain", size_bytes: 10 };

const at = (server) => ["--data", server.folder];
const quota = (server, ...changes) =>
  satchelJson(["partner", "quota", server.partnerId, ...changes, ...at(server)]);

function assertRetry(answer, seconds) {
  const { error } = assertError(answer, 429, 1007);
  assert.equal(answer.headers["retry-after"], String(error.retry_after));
  if (seconds !== undefined) assert.equal(error.retry_after, seconds);
  return error;
}

async function wholeStore(server) {
  const report = await satchelJson(["fsck", ...at(server)]);
  assert.deepEqual(report.findings, []);
}

test("of 1,000 creates at once exactly as many succeed as there is room for", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_QUOTA__FILES: "100" } });
  const answers = await Promise.all(Array.from({ length: 1000 }, () => server.api.post(ask)));
  const made = answers.filter(({ status }) => status === 200);
  assert.equal(made.length, 100);
  const refused = answers.filter(({ status }) => status !== 200);
  for (const answer of refused) {
    const { error } = assertError(answer, 403, 2005);
    assert.match(error.message, /at most 100 files.*Delete attachments/);
    assert.equal(answer.headers["retry-after"], undefined);
  }
  const { partners } = jsonOf(await server.admin("GET", "/admin/v1/stats"));
  assert.equal(partners[0].attachments.pending, 100);

  assert.equal((await server.api.delete(jsonOf(made[0]).attachment_id)).status, 204);
  const again = await Promise.all(Array.from({ length: 20 }, () => server.api.post(ask)));
  assert.equal(again.filter(({ status }) => status === 200).length, 1);
  await wholeStore(server);
});

test("bytes are reserved when the upload is asked for and come back with a delete", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_QUOTA__BYTES: "100" } });
  const create = (size) => server.api.post({ ...ask, size_bytes: size });
  assertError(await create(101), 403, 2005);
  const first = jsonOf(await create(60));
  assertError(await create(41), 403, 2005);
  const second = jsonOf(await create(40));
  assert.equal((await put(first, Buffer.alloc(60, "a"))).status, 200);
  assert.equal((await put(first, Buffer.alloc(60, "b"))).status, 200, "instead of the first upload");
  assertError(await create(1), 403, 2005);
  assert.equal((await server.api.delete(second.attachment_id)).status, 204);
  assert.equal((await create(40)).status, 200);
  await wholeStore(server);
});

test("too many uploads that wait are told to wait, and lapse", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"], env: { SATCHEL_QUOTA__PENDING: "2" } });
  const first = jsonOf(await server.api.post(ask));
  const lapsing = jsonOf(await server.api.post(ask));
  assert.match(assertRetry(await server.api.post(ask)).message, /at most 2 uploads.*15 minutes/);
  assert.equal((await put(first, "0123456789")).status, 200);
  assert.equal((await server.api.post(ask)).status, 200);
  assertRetry(await server.api.post(ask));
  await server.advanceClock(15 * 60 + 1);
  assert.equal((await server.api.post(ask)).status, 200);
  assert.equal(jsonOf(await server.api.get(lapsing.attachment_id)).status, "failed");
});

test("a failed upload that is repaired needs a place again", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_QUOTA__FILES: "1" } });
  const program = Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(6)]);
  const failed = await server.api.create({ size: 10 });
  assert.equal((await put(failed, program)).status, 200);
  assert.equal(jsonOf(await server.api.get(failed.attachment_id)).status, "failed");
  const other = await server.api.create({ size: 10 });
  assertXmlError(await put(failed, "0123456789"), 403, "QuotaExceeded");
  assert.equal((await server.api.delete(other.attachment_id)).status, 204);
  assert.equal((await put(failed, "0123456789")).status, 200);
  assertError(await server.api.post(ask), 403, 2005);
  await wholeStore(server);
});

test("media by URL count and are refused; what comes in is taken and counts", limit, async (t) => {
  const server = await startDev(t);
  const origin = await startOrigin(t, { "/a.jpg": { type: "image/jpeg", bytes: photo } });
  const chat = await newChat(server);
  const file = await upload(server);
  await quota(server, "--files", "1");
  assertError(await sendInto(server, chat.id, [mediaUrl(`${origin}/a.jpg`)]), 403, 2005);
  assert.equal((await sendInto(server, chat.id, [media(file)])).status, 202, "nothing new is stored");
  const inbound = { line, from: "+15557770001", text: "look" };
  const received = await receive(server, inbound, [{ bytes: photo, name: "b.jpg", type: "image/jpeg" }]);
  assert.ok(received.ok, await received.text());
  const { files, bytes } = await quota(server);
  assert.deepEqual(files, { used: 2, max: 1, own: true });
  assert.equal(bytes.used, 2 * photo.length);
  assertError(await server.api.post(ask), 403, 2005);
  await quota(server, "--files", "3");
  assert.equal((await sendInto(server, chat.id, [mediaUrl(`${origin}/a.jpg`)])).status, 202);
  assertError(await server.api.post(ask), 403, 2005);
  await wholeStore(server);
});

test("the operator sets a partner's quota, shows it and takes it back", limit, async (t) => {
  const server = await startDev(t, { env: { SATCHEL_QUOTA__BYTES: "5000" } });
  await server.api.create({ size: 10 });
  const servers = (max, used) => ({ ...(used === undefined ? {} : { used }), max, own: false });
  assert.deepEqual(await quota(server), {
    bytes: servers(5000, 10), files: servers(0, 1), pending: servers(0, 1),
    requests_per_minute: servers(0), creates_per_minute: servers(0), sends_per_minute: servers(0),
  });
  const changed = await quota(server, "--bytes", "20", "--creates", "5", "--files", "0");
  assert.deepEqual(changed.bytes, { used: 10, max: 20, own: true });
  assert.deepEqual(changed.files, { used: 1, max: 0, own: true });
  assert.deepEqual(changed.creates_per_minute, { max: 5, own: true });
  assertError(await server.api.post({ ...ask, size_bytes: 11 }), 403, 2005);
  const shown = await satchelJson(["partner", "show", "demo", ...at(server)]);
  assert.deepEqual(shown.quota, changed);
  const table = (await satchel(["partner", "show", "demo", ...at(server)])).stdout;
  assert.match(table, /^bytes +10 +20 +this partner$/m);
  assert.match(table, /^files +1 +no limit +this partner$/m);
  assert.match(table, /^uploads asked for a minute +5 +this partner$/m);
  assert.deepEqual((await quota(server, "--bytes", "default")).bytes, servers(5000, 10));
  assert.equal((await server.api.post({ ...ask, size_bytes: 11 })).status, 200);

  for (const wrong of [["--bytes", "many"], ["--bytes", "-1"], ["--bytes", "1.5"], ["--gold", "1"]]) {
    assert.equal((await satchel(["partner", "quota", "demo", ...wrong, ...at(server)])).code, 2, wrong);
  }
  const tooMuch = await satchel(["partner", "quota", "demo", "--requests", "1000001", ...at(server)]);
  assert.equal(tooMuch.code, 1);
  assert.match(tooMuch.stderr, /requests_per_minute must be a number from 0 .* to 1000000/);
  assert.equal((await satchel(["partner", "quota", "nobody", ...at(server)])).code, 1);
  const unknown = await server.admin("PATCH", `/admin/v1/partners/demo/quota`, { gold: 1 });
  assert.equal(unknown.status, 400);
});

test("calls in a minute: so many, then 429 until the second that Retry-After names", limit, async (t) => {
  const server = await startDev(t, {
    args: ["--test-clock"],
    env: { SATCHEL_SERVER__REQUESTS_PER_MINUTE: "20", SATCHEL_SERVER__CREATES_PER_MINUTE: "3",
      SATCHEL_SERVER__SENDS_PER_MINUTE: "4" },
  });
  const second = await satchelJson(["partner", "add", "second", ...at(server)]);
  const other = new PartnerApi(server.baseUrl, second.api_key);
  const statuses = async (count, call) =>
    (await Promise.all(Array.from({ length: count }, call))).map(({ status }) => status);
  const count = (all, status) => all.filter((each) => each === status).length;

  const created = await statuses(5, () => server.api.post(ask));
  assert.deepEqual([count(created, 200), count(created, 429)], [3, 2]);
  const chat = await newChat(server);
  const sent = await statuses(5, () => sendInto(server, chat.id, [text("x")]));
  assert.deepEqual([count(sent, 202), count(sent, 429)], [3, 2]);
  const read = await statuses(30, () => server.api.call("GET", "/v3/phone_numbers"));
  assert.deepEqual([count(read, 200), count(read, 429)], [9, 21], "of 20, 11 were used");
  assert.equal((await other.call("GET", "/v3/phone_numbers")).status, 200, "another partner");
  assertError(await server.api.call("GET", "/v3/nonsense"), 429, 1007);
  assertError(await new PartnerApi(server.baseUrl, "wrong").call("GET", "/v3/chats"), 401, 2004);

  const { retry_after: wait } = assertRetry(await server.api.call("GET", "/v3/phone_numbers"));
  assert.ok(wait > 50 && wait <= 60, String(wait));
  await server.advanceClock(wait - 3);
  const early = assertRetry(await server.api.call("GET", "/v3/phone_numbers"));
  assert.ok(early.retry_after <= 3, String(early.retry_after));
  await server.advanceClock(early.retry_after);
  assert.equal((await server.api.call("GET", "/v3/phone_numbers")).status, 200);
});

test("a partner's own rate holds from the next call on; bytes are not counted", limit, async (t) => {
  const server = await startDev(t);
  const file = await upload(server);
  assert.equal((await server.api.get(file.attachment_id)).status, 200);
  await quota(server, "--requests", "1");
  assert.equal((await server.api.get(file.attachment_id)).status, 200);
  assertRetry(await server.api.get(file.attachment_id));
  for (let i = 0; i < 5; i += 1) {
    assert.equal((await fetch(file.download_url)).status, 200);
    assert.equal((await put(file, photo)).status, 200);
  }
  await quota(server, "--requests", "default");
  assert.equal((await server.api.get(file.attachment_id)).status, 200);
});
