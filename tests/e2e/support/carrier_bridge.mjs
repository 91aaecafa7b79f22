// The operator's side of the gateway: the example bridge, one that a test scripts, and the calls
// that a bridge makes.

import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { Webhook } from "standardwebhooks";

import { until } from "./deadline.mjs";
import { request } from "./http_client.mjs";
import { cleanEnvironment } from "./program.mjs";

const exampleBridge = fileURLToPath(new URL("../../../examples/bridge.mjs", import.meta.url));

export const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

// What makes `satchel dev` use a bridge.
export function bridgeEnvironment(url, secret) {
  return {
    SATCHEL_GATEWAY__KIND: "http",
    SATCHEL_GATEWAY__URL: url,
    SATCHEL_GATEWAY__SECRET: secret,
  };
}

export async function listen(server, port = 0) {
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server.address().port;
}

// Runs examples/bridge.mjs until the test's end.
export async function startExampleBridge(t, { port, satchel, out, secret }) {
  const args = [exampleBridge, "--port", port, "--satchel", satchel, "--out", out].map(String);
  const child = spawn(process.execPath, args, {
    env: cleanEnvironment({ GATEWAY_SECRET: secret }),
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const bridge = { child, output: "", url: `http://127.0.0.1:${port}` };
  child.stdout.on("data", (bytes) => {
    bridge.output += bytes;
  });
  await until(() => bridge.output.includes("bridge on"), { what: "the example bridge" });
  return bridge;
}

// A bridge that answers as a test tells it, and keeps what it got.
export class ScriptedBridge {
  // `answer(message, count)` gives a status, a [status, body] pair, or "hang".
  static async start(t, answer = () => 202) {
    const bridge = new ScriptedBridge();
    bridge.secret = newSecret();
    bridge.answer = answer;
    bridge.posts = [];
    bridge.files = new Map(); // Path to [status, headers, body].
    await bridge.open();
    bridge.url = `http://127.0.0.1:${bridge.port}/messages`;
    t.after(() => bridge.close());
    return bridge;
  }

  async open() {
    this.server = createServer((incoming, outgoing) => this.receive(incoming, outgoing));
    this.port = await listen(this.server, this.port);
  }

  // From now on connections are refused, until open().
  async close() {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections?.();
    await closed;
  }

  get environment() {
    return bridgeEnvironment(this.url, this.secret);
  }

  receive(incoming, outgoing) {
    const chunks = [];
    incoming.on("error", () => {});
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", () => {
      if (incoming.method === "GET") {
        const [status, headers, body] = this.files.get(incoming.url) ?? [404, {}, ""];
        outgoing.writeHead(status, headers).end(body);
        return;
      }
      const body = Buffer.concat(chunks).toString("utf8");
      const message = new Webhook(this.secret).verify(body, incoming.headers);
      this.posts.push({ headers: incoming.headers, url: incoming.url, message });
      const answer = this.answer(message, this.posts.length);
      if (answer === "hang") return;
      const [status, text] = Array.isArray(answer) ? answer : [answer, ""];
      outgoing.writeHead(status).end(text);
    });
  }

  async handedOver(count) {
    await until(() => this.posts.length >= count, { what: `${count} messages at the bridge` });
    return this.posts;
  }

  tell(server, path, content, options) {
    return callGateway(server, this.secret, path, content, options);
  }
}

// A call of the bridge. `change` may replace or (undefined) drop headers of the genuine call.
export function callGateway(
  server,
  secret,
  path,
  content,
  { method = "POST", at = new Date(), change = {}, body = JSON.stringify(content) } = {},
) {
  const id = randomUUID();
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, at, JSON.stringify(content)),
    ...change,
  };
  return request(`${server.origin}/gateway/v1/${path}`, {
    method,
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    body: method === "GET" ? undefined : body,
  });
}

// Serves files as a carrier keeps them: `answer(path, count)` gives [status, headers, body] or
// "hang"; `count` is how often that path was asked for.
export async function startFileServer(t, answer) {
  const asked = new Map();
  const server = createServer((incoming, outgoing) => {
    const count = (asked.get(incoming.url) ?? 0) + 1;
    asked.set(incoming.url, count);
    const answered = answer(incoming.url, count);
    if (answered === "hang") return;
    const [status, headers, body] = answered;
    outgoing.writeHead(status, headers).end(body);
  });
  const port = await listen(server);
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return { origin: `http://127.0.0.1:${port}`, times: (path) => asked.get(path) ?? 0 };
}
