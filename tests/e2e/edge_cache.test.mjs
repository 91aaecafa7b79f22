// nginx in front of the downloads, configured as docs/operations/edge.md says.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { filesIn } from "./support/data_folder.mjs";
import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { photo, upload } from "./support/messaging.mjs";
import { startNginx } from "./support/nginx.mjs";
import { jsonOf } from "./support/partner_api.mjs";
import { freePort } from "./support/ports.mjs";
import { satchelJson, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const host = "cdn.example.com";
const document = fileURLToPath(new URL("../../docs/operations/edge.md", import.meta.url));

// The document's example with other places and, in each answer, what the cache had to do with it.
function exampleFor({ port, cache, origin }) {
  const [, example] = /```nginx\n(.*?)```/s.exec(readFileSync(document, "utf8"));
  const said = "add_header X-Cache $upstream_cache_status always;";
  return [
    ["/var/cache/nginx/satchel", cache],
    ["listen 443 ssl;", `listen 127.0.0.1:${port}; ${said}`],
    ["http://127.0.0.1:8780", origin],
  ].reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `${from} in the example`);
    return text.replaceAll(from, to);
  }, example);
}

// A server, and nginx before it. `get` asks nginx, as whoever has the URL does.
async function startBehindNginx(t, cacheSeconds, change = (example) => example) {
  const server = await startDev(t, {
    env: {
      SATCHEL_SERVER__PUBLIC_CDN_URL: `http://${host}`,
      SATCHEL_EDGE__CACHE_SECONDS: String(cacheSeconds),
    },
  });
  const port = await freePort();
  const cache = join(temporaryFolder(t), "cache");
  const example = exampleFor({ port, cache, origin: server.origin });
  const { origin } = await startNginx(t, port, change(example));
  const get = (url, { headers = {}, ...options } = {}) => {
    const { pathname, search } = new URL(url);
    return request(origin + pathname + search, { headers: { host, ...headers }, ...options });
  };
  const kept = () => (existsSync(cache) ? filesIn(cache) : []);
  return { server, get, kept };
}

const part = (from, to) => ({ headers: { range: `bytes=${from}-${to}` } });
const cacheSaid = (answer) => answer.headers["x-cache"];

test("nginx keeps a file and its ranges, under whatever name", limit, async (t) => {
  const { server, get } = await startBehindNginx(t, 3600);
  const { download_url: url } = await upload(server);
  const first = await get(url);
  assert.deepEqual([first.status, cacheSaid(first)], [200, "MISS"]);
  for (const again of [await get(url), await get(url.replace("photo.jpg", "holiday.jpg"))]) {
    assert.deepEqual([again.status, cacheSaid(again)], [200, "HIT"]);
    assert.deepEqual(again.body, photo);
    assert.equal(again.headers.etag, first.headers.etag);
    assert.match(again.headers["content-disposition"], /photo\.jpg/);
    assert.match(again.headers["cache-control"], /^private,/, "for whoever is behind the edge");
    assert.equal(again.headers["x-accel-expires"], undefined);
  }
  for (const said of ["MISS", "HIT"]) {
    for (const [from, to] of [[0, 0], [10, 99], [photo.length - 5, photo.length - 1]]) {
      const piece = await get(url, part(from, to));
      assert.deepEqual([piece.status, cacheSaid(piece)], [206, said]);
      assert.deepEqual(piece.body, photo.subarray(from, to + 1));
      assert.equal(piece.headers["content-range"], `bytes ${from}-${to}/${photo.length}`);
    }
    const beyond = await get(url, part(photo.length, photo.length + 1));
    assert.deepEqual([beyond.status, cacheSaid(beyond)], [416, "MISS"], "no error is kept");
  }
  const same = await get(url, { headers: { "if-none-match": first.headers.etag } });
  assert.deepEqual([same.status, same.body.length], [304, 0]);
  const head = await get(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"]], [200, String(photo.length)]);
  assert.equal(cacheSaid(head), "HIT");
});

test("a copy outlives the delete by edge.cache_seconds at most", limit, async (t) => {
  const seconds = 2;
  const { server, get, kept } = await startBehindNginx(t, seconds, (example) => {
    const quick = example.replace(/inactive=\w+/, "inactive=1s");
    assert.notEqual(quick, example);
    return quick;
  });
  const [gone, stays] = [await upload(server), await upload(server)];
  const asked = [[gone.download_url], [gone.download_url, part(5, 50)]];
  const look = () => Promise.all(asked.map((each) => get(...each)));
  for (const answer of [...(await look()), await get(stays.download_url)]) {
    assert.equal(cacheSaid(answer), "MISS");
  }
  assert.equal((await server.api.delete(gone.attachment_id)).status, 204);
  const deletedAt = Date.now();
  let hitAt = 0;
  await until(
    async () => {
      const now = Date.now();
      const statuses = (await look()).map(({ status }) => status);
      if (statuses.some((status) => status !== 404)) hitAt = now;
      return hitAt !== now;
    },
    { what: "404 from the edge" },
  );
  // nginx counts whole seconds, the last one with them.
  assert.ok(hitAt - deletedAt < (seconds + 1) * 1000, `${hitAt - deletedAt} ms after the delete`);
  for (const answer of await look()) assert.equal(answer.status, 404, "and for good");
  assert.deepEqual((await get(stays.download_url)).body, photo);
  await until(() => kept().length === 0, { what: "an empty disk of the edge", deadlineMs: 60_000 });
});

test("with edge.cache_seconds 0 nothing is kept and a delete holds at once", limit, async (t) => {
  const { server, get, kept } = await startBehindNginx(t, 0);
  const created = await upload(server);
  for (const options of [{}, part(5, 50), {}, part(5, 50)]) {
    const answer = await get(created.download_url, options);
    assert.ok([200, 206].includes(answer.status), String(answer.status));
    assert.equal(cacheSaid(answer), "MISS");
  }
  assert.equal((await server.api.delete(created.attachment_id)).status, 204);
  assert.equal((await get(created.download_url)).status, 404);
  assert.equal((await get(created.download_url, part(5, 50))).status, 404);
  assert.deepEqual(kept(), []);
});

test("signed URLs pass through and are never kept", limit, async (t) => {
  const { server, get, kept } = await startBehindNginx(t, 3600);
  const tier = ["tier", "set", "--partner", server.partnerId, "ephemeral"];
  await satchelJson([...tier, "--data", server.folder]);
  const { attachment_id: id } = await upload(server);
  const { download_url: url } = jsonOf(await server.api.get(id));
  assert.match(url, /^http:\/\/cdn\.example\.com\/attachments\/signed\/.*X-Amz-Signature=/);
  for (let round = 0; round < 2; round += 1) {
    const answer = await get(url);
    assert.equal(answer.status, 200, String(answer.body));
    assert.deepEqual(answer.body, photo);
    assert.ok([undefined, ""].includes(cacheSaid(answer)), "no cache was asked");
    assert.match(answer.headers["cache-control"], /no-store/);
    assert.deepEqual((await get(url, part(5, 50))).body, photo.subarray(5, 51));
  }
  const plain = url.split("?")[0].replace("/signed/", "/partners/");
  for (let round = 0; round < 2; round += 1) assert.equal((await get(plain)).status, 404);
  assert.equal((await server.api.delete(id)).status, 204);
  assert.equal((await get(url)).status, 404, "at once");
  assert.deepEqual(kept(), []);
});
