// Looks at the server through every path by which bytes or names could come out, and compares with
// the model.

import assert from "node:assert/strict";

import { request } from "../e2e/support/http_client.mjs";
import { assertError, jsonOf, put } from "../e2e/support/partner_api.mjs";
import { checkHouse } from "./house.mjs";
import { digestOf, stranger } from "./model.mjs";

// As it is signed: the host of the start at which it was made.
function get(world, url, { method = "GET", headers = {} } = {}) {
  return request(world.here(url), { method, headers: { host: new URL(url).host, ...headers } });
}

// So close to the end of a signature both answers are right.
const signatureEdgeMs = 3000;

// The statuses a request of this URL may have; a stale signature is refused before anything else.
function statuses(world, seen, otherwise) {
  if (seen.signedUntil === undefined) return [otherwise];
  const left = seen.signedUntil - world.now();
  if (Math.abs(left) < signatureEdgeMs) return [403, otherwise];
  return [left > 0 ? otherwise : 403];
}

async function checkRefused(world, url, seen, what, options) {
  const expected = statuses(world, seen, 404);
  const { status } = await get(world, url, options);
  assert.ok(expected.includes(status), `${status} at ${url} of ${what}`);
}

// Settles what a killed server left open: the one or the other.
export async function settle(world, one) {
  if (!one.unsure) return;
  const answer = await world.api(one.partner).get(one.id);
  const found = answer.status === 404 ? "gone" : jsonOf(answer).status;
  assert.ok(one.unsure.includes(found), `${one.id}: ${found} is none of ${one.unsure}`);
  one.unsure = undefined;
  if (found === "gone") world.model.goes(one, "delete");
  else one.status = found;
}

export async function check(world, one) {
  world.model.timeIs(world.now());
  if (one.status === "gone") return checkGone(world, one);
  const answer = await world.api(one.partner).get(one.id);
  assert.equal(answer.status, 200, `${one.id} is ${one.status}: ${answer.body}`);
  const told = jsonOf(answer);
  assert.equal(told.status, one.status, one.id);
  if (one.isLive) return checkLive(world, one, told);
  assert.equal(told.download_url, undefined);
  for (const [url, seen] of one.urls) {
    await checkRefused(world, url, seen, `${one.id}, which is ${one.status}`);
  }
  return undefined;
}

async function checkLive(world, one, told) {
  const { bytes } = one.content;
  if (bytes) assert.equal(told.size_bytes, bytes.length);
  world.learnUrl(one, told.download_url);
  for (const [url, seen] of one.urls) {
    const expected = statuses(world, seen, 200);
    const answer = await get(world, url);
    if (expected.includes(403)) {
      assert.ok(expected.includes(answer.status), `${answer.status} at ${url}`);
      continue;
    }
    if (one.isEphemeral && !seen.signedUntil) {
      assert.equal(answer.status, 404, `${url} needs a signature since it became ephemeral`);
      continue;
    }
    assert.equal(answer.status, 200, `${one.id} at ${url}: ${answer.status}`);
    const digest = digestOf(answer.body);
    if (seen.kind === "content" && bytes) assert.ok(answer.body.equals(bytes), `bytes of ${url}`);
    assert.equal(digest, seen.digest ?? digest, `${url} gives other bytes than before`);
    seen.digest = digest;
    await checkPieces(world, url, answer);
  }
  for (const path of one.previews ?? []) {
    assert.equal((await world.api(one.partner).call("GET", path)).status, 200, path);
  }
  await checkForeign(world, one);
}

async function checkPieces(world, url, whole) {
  const size = whole.body.length;
  const from = world.choices.below(size);
  const to = from + world.choices.below(size - from);
  const part = await get(world, url, { headers: { range: `bytes=${from}-${to}` } });
  assert.equal(part.status, 206, url);
  assert.ok(part.body.equals(whole.body.subarray(from, to + 1)), `range of ${url}`);
  const { etag } = whole.headers;
  const same = await get(world, url, { headers: { "if-none-match": etag } });
  assert.deepEqual([same.status, same.body.length], [304, 0], url);
  const head = await get(world, url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"]], [200, String(size)], url);
  whole.etag = etag;
}

// To another partner it does not exist.
async function checkForeign(world, one) {
  const other = world.model.partners.find((each) => each !== one.partner);
  assertError(await world.api(other).get(one.id), 404, 2003);
  for (const url of one.urls.keys()) {
    const moved = url.replace(one.partner.id, other.id);
    if (moved === url) continue;
    assert.ok([403, 404].includes((await get(world, moved)).status), moved);
  }
}

// By no path whatsoever.
export async function checkGone(world, one) {
  const api = world.api(one.partner);
  assertError(await api.get(one.id), 404, 2003);
  assertError(await api.delete(one.id), 404, 2003);
  const send = { from: one.partner.lines[0].number, to: [stranger] };
  const parts = [{ type: "media", attachment_id: one.id }];
  assertError(
    await api.call("POST", "/v3/chats", { body: { ...send, message: { parts } } }),
    404,
    2003,
  );
  for (const [url, seen] of one.urls) {
    for (const options of [
      {},
      { method: "HEAD" },
      { headers: { range: "bytes=0-0" } },
      { headers: { "if-none-match": "*" } },
      { headers: { "if-none-match": seen.etag ?? '"x"' } },
    ]) {
      await checkRefused(world, url, seen, `${one.id}, which is gone (${one.why})`, options);
    }
  }
  for (const path of one.previews ?? []) assertError(await api.call("GET", path), 404, 2003);
  if (one.uploadUrl) {
    const answer = await put(one.uploadUrl, one.content.bytes, {
      url: world.here(one.uploadUrl.upload_url),
      headers: { host: new URL(one.uploadUrl.upload_url).host },
    });
    assert.ok([403, 404].includes(answer.status), `PUT of ${one.id}: ${answer.status}`);
  }
}

export async function checkMessage(world, message) {
  const answer = await world.api(message.partner).call("GET", `/v3/messages/${message.id}`);
  if (message.isGone) return assertError(answer, 404, 2002);
  assert.equal(answer.status, 200, String(answer.body));
  return checkParts(world, message, jsonOf(answer).parts);
}

// Those whose attachment is gone have kept their place only.
function checkParts(world, message, parts) {
  assert.equal(parts.length, message.parts.length);
  for (const [i, part] of parts.entries()) {
    const one = message.parts[i];
    if (!one || one.unsure) continue;
    const members = [part.id, part.url, part.filename, part.mime_type, part.size_bytes];
    if (one.status === "gone") assert.deepEqual(members, [null, null, null, null, null]);
    else world.learnUrl(one, part.url);
  }
}

// The history of every chat: the messages that are there and no others.
async function checkChats(world) {
  const chats = new Map();
  for (const message of world.model.messages) {
    if (!chats.has(message.chat)) chats.set(message.chat, []);
    chats.get(message.chat).push(message);
  }
  for (const [chat, messages] of chats) await checkHistory(world, chat, messages);
}

async function checkHistory(world, chat, messages) {
  const expected = new Map();
  for (const each of messages) if (!each.isGone) expected.set(each.id, each);
  const api = world.api(messages[0].partner);
  let cursor = "";
  do {
    const answer = await api.call("GET", `/v3/chats/${chat}/messages?limit=100${cursor}`);
    // A chat that lost all its messages may be gone itself.
    if (expected.size === 0 && answer.status === 404) return;
    assert.equal(answer.status, 200, String(answer.body));
    const page = jsonOf(answer);
    for (const { id, parts } of page.messages) {
      assert.ok(expected.has(id), `${id} stands in the history of ${chat}`);
      checkParts(world, expected.get(id), parts);
      expected.delete(id);
    }
    cursor = page.next_cursor && `&cursor=${encodeURIComponent(page.next_cursor)}`;
  } while (cursor);
  assert.deepEqual([...expected.keys()], [], `missing in the history of ${chat}`);
}

// Everything, and what only the operator sees.
export async function checkAll(world) {
  world.hear();
  for (const one of world.model.attachments) await settle(world, one);
  for (const one of world.model.attachments) await check(world, one);
  for (const message of world.model.messages) await checkMessage(world, message);
  await checkChats(world);
  await checkHouse(world);
}
