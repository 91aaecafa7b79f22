// What caches may keep, and how an edge hears of deletions: docs/operations/edge.md.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { until } from "./support/deadline.mjs";
import { request } from "./support/http_client.mjs";
import { upload } from "./support/messaging.mjs";
import { satchel, temporaryFolder } from "./support/program.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const token = "an-edge-token-of-the-test";

// A caching edge: it keeps what CDN-Cache-Control lets it, by path, and forgets what it is told
// to. `refusals`: so many purges are answered with 503 first.
class Edge {
  static async start(t, refusals = 0) {
    const edge = new Edge();
    Object.assign(edge, { refusals, purges: [], kept: new Map(), hits: 0 });
    edge.server = createServer((incoming, outgoing) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("end", () => edge.answer(incoming, outgoing, Buffer.concat(chunks).toString()));
    });
    await new Promise((resolve) => edge.server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      edge.server.closeAllConnections();
      edge.server.close();
    });
    edge.origin = `http://127.0.0.1:${edge.server.address().port}`;
    return edge;
  }

  async answer(incoming, outgoing, body) {
    if (incoming.method === "GET") return this.get(incoming.url, outgoing);
    const { method, url, headers } = incoming;
    this.purges.push({ method, url, headers, body });
    if (this.purges.length <= this.refusals) return outgoing.writeHead(503).end();
    const named = method === "PURGE" ? [url] : JSON.parse(body).url_prefixes;
    const prefixes = named.map((each) => new URL(each, this.origin).pathname);
    for (const path of [...this.kept.keys()]) {
      if (prefixes.some((prefix) => path.startsWith(prefix))) this.kept.delete(path);
    }
    return outgoing.writeHead(204).end();
  }

  async get(path, outgoing) {
    let found = this.kept.get(path);
    if (found) this.hits += 1;
    found ??= await request(this.base + path);
    const life = /max-age=(\d+)/.exec(found.headers["cdn-cache-control"] ?? "");
    if (found.status === 200 && life && Number(life[1]) > 0) this.kept.set(path, found);
    outgoing.writeHead(found.status, { "content-type": found.headers["content-type"] });
    return outgoing.end(found.body);
  }
}

const startBehind = async (t, edge, env = {}) => {
  const server = await startDev(t, {
    args: ["--test-clock"],
    env: {
      SATCHEL_EDGE__PURGE_URL: `${edge.origin}/purge`,
      SATCHEL_EDGE__PURGE_TOKEN: token,
      SATCHEL_SERVER__PUBLIC_CDN_URL: "https://cdn.example.com",
      ...env,
    },
  });
  edge.base = server.origin;
  return server;
};
const pathOf = (created) => new URL(created.download_url).pathname;

test("strangers' caches keep nothing, the edge for the configured time", limit, async (t) => {
  for (const [seconds, edge, accel] of [
    [60, "max-age=60, must-revalidate", "60"],
    [5, "max-age=5, must-revalidate", "5"],
    [0, "no-store", undefined],
  ]) {
    await t.test(`${seconds} s`, async (t) => {
      const env = seconds === 60 ? {} : { SATCHEL_EDGE__CACHE_SECONDS: String(seconds) };
      const server = await startDev(t, { env });
      const created = await upload(server);
      const url = created.download_url;
      const whole = await request(url);
      for (const answer of [
        whole,
        await request(url, { method: "HEAD" }),
        await request(url, { headers: { range: "bytes=0-9" } }),
        await request(url, { headers: { range: "bytes=0-1,5-6" } }),
        await request(url, { headers: { "if-none-match": whole.headers.etag } }),
      ]) {
        const { headers } = answer;
        assert.equal(headers["cache-control"], `private, max-age=${seconds}, must-revalidate`);
        assert.equal(headers["cdn-cache-control"], edge, String(answer.status));
        assert.equal(headers["x-accel-expires"], accel);
      }
      for (const bad of [`${url.slice(0, -10)}`.replace(created.attachment_id, server.partnerId)]) {
        const missing = await request(bad);
        assert.equal(missing.status, 404);
        assert.match(missing.headers["cache-control"], /no-store/);
        assert.equal(missing.headers["cdn-cache-control"], undefined);
      }
      const beyond = await request(url, { headers: { range: "bytes=99999999-" } });
      assert.equal(beyond.status, 416);
      assert.match(beyond.headers["cache-control"], /no-store/);
    });
  }
});

for (const method of ["POST", "PURGE"]) {
  test(`a delete is told to the edge by ${method}, which forgets it`, limit, async (t) => {
    const edge = await Edge.start(t);
    const url = method === "PURGE" ? edge.origin : `${edge.origin}/purge`;
    const server = await startBehind(t, edge, {
      SATCHEL_EDGE__PURGE_METHOD: method,
      SATCHEL_EDGE__PURGE_URL: url,
    });
    const [gone, kept] = [await upload(server), await upload(server)];
    for (const created of [gone, kept]) {
      for (let round = 0; round < 2; round += 1) {
        assert.equal((await request(edge.origin + pathOf(created))).status, 200);
      }
      // The name in the path is for people: the edge may have the file under any.
      const other = pathOf(created).replace("photo.jpg", "holiday.jpg");
      assert.equal((await request(edge.origin + other)).status, 200);
    }
    assert.equal(edge.hits, 2, "the edge keeps what it was let");
    assert.equal((await server.api.delete(gone.attachment_id)).status, 204);
    await until(() => edge.purges.length > 0, { what: "a purge" });
    await until(async () => (await request(edge.origin + pathOf(gone))).status === 404, {
      what: "the edge answers 404",
    });
    const other = pathOf(gone).replace("photo.jpg", "holiday.jpg");
    assert.equal((await request(edge.origin + other)).status, 404);
    assert.equal((await request(edge.origin + pathOf(kept))).status, 200);

    const [purge] = edge.purges;
    assert.equal(purge.method, method);
    assert.equal(purge.headers.authorization, `Bearer ${token}`);
    const folder = `/attachments/partners/${server.partnerId}/${gone.attachment_id}/`;
    if (method === "PURGE") {
      assert.equal(purge.url, folder);
      assert.equal(purge.headers["cache-tag"], gone.attachment_id);
    } else {
      assert.deepEqual(JSON.parse(purge.body), {
        event: "attachment.deleted",
        partner_id: server.partnerId,
        attachment_id: gone.attachment_id,
        url_prefixes: [
          `https://cdn.example.com${folder}`,
          `https://cdn.example.com${folder.replace("partners", "signed")}`,
        ],
        forms: [],
        cache_tags: [gone.attachment_id],
      });
    }
    assert.ok(!JSON.stringify(edge.purges).includes("photo.jpg"), "no name leaves with it");
  });
}

test("an edge that refuses is asked again, also after a kill", limit, async (t) => {
  const edge = await Edge.start(t, 2);
  let server = await startBehind(t, edge);
  const created = await upload(server);
  await server.api.delete(created.attachment_id);
  await until(() => edge.purges.length === 1, { what: "the first try" });
  await server.kill9();
  server = await startDev(t, {
    data: server.folder,
    args: ["--test-clock"],
    env: { SATCHEL_EDGE__PURGE_URL: `${edge.origin}/purge`, SATCHEL_EDGE__PURGE_TOKEN: token },
  });
  await until(() => edge.purges.length >= 2, { what: "a try after the start" });
  await server.advanceClock(60);
  await until(() => edge.purges.length >= 3, { what: "the try that is accepted" });
  const metrics = async () => (await server.admin("GET", "/metrics")).body.toString();
  await until(async () => /^satchel_edge_purges_total 1$/m.test(await metrics()), {
    what: "counted as told",
  });
  await server.advanceClock(3600);
  assert.equal(edge.purges.length, 3, "and not told again");
});

test("an edge that never answers is given up, loudly", limit, async (t) => {
  const edge = await Edge.start(t, 1000);
  const server = await startBehind(t, edge);
  const created = await upload(server);
  assert.equal((await server.api.delete(created.attachment_id)).status, 204);
  for (let round = 0; round < 16; round += 1) await server.advanceClock(10_000);
  const metrics = (await server.admin("GET", "/metrics")).body.toString();
  assert.match(metrics, /^satchel_edge_purges_given_up_total 1$/m);
  assert.match(server.output, /edge_purge_given_up/);
  assert.equal(edge.purges.length, 14);
});

test("settings that make no sense are refused", limit, async (t) => {
  const data = temporaryFolder(t);
  for (const [name, value, pattern] of [
    ["SATCHEL_EDGE__CACHE_SECONDS", "-1", /0 to 86400/],
    ["SATCHEL_EDGE__PURGE_METHOD", "GET", /POST or PURGE/],
    ["SATCHEL_EDGE__PURGE_TOKEN", token, /edge\.purge_url/],
    ["SATCHEL_RETENTION__MESSAGES_DAYS", "soon", /number of days/],
    ["SATCHEL_RETENTION__MEDIA", "drop", /keep or with_message/],
  ]) {
    const result = await satchel(["dev", "--port", "0", "--data", data], { env: { [name]: value } });
    assert.equal(result.code, 1, `${name}: ${result.stdout}`);
    assert.match(result.stderr, pattern);
  }
});
