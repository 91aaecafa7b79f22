// A carrier bridge for Satchel, as small as one can be. It "delivers" each message into a folder,
// reports it as sent and delivered, and passes on what it is told to let come in.
//
//   GATEWAY_SECRET=whsec_... node bridge.mjs --port 8790 --satchel http://127.0.0.1:8780 --out box
//
// Protocol: docs/api/gateway.md. Node 18 or newer; nothing to install.
// A line of JSON on standard input, or POST /come-in, is an inbound message:
//   {"id":"1","line":"+15550100001","from":"+15551234567","parts":[{"type":"text","value":"Hi"}]}

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8790" },
    satchel: { type: "string", default: "http://127.0.0.1:8780" },
    out: { type: "string", default: "box" },
  },
});
const key = Buffer.from(process.env.GATEWAY_SECRET.replace(/^whsec_/, ""), "base64");
const windowSeconds = 300;

// Standard Webhooks: "v1," and the base64 of HMAC-SHA256 over "{id}.{timestamp}.{body}".
function sign(id, timestamp, body) {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

function isGenuine(headers, body) {
  const timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= windowSeconds)) return false;
  const expected = Buffer.from(sign(headers["webhook-id"], timestamp, body));
  const given = Buffer.from(headers["webhook-signature"] ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

// Calls Satchel until it has taken the report; it knows a repetition by what is in the body.
async function tell(path, content, attempt = 1) {
  const body = JSON.stringify(content);
  const [id, timestamp] = [randomUUID(), String(Math.floor(Date.now() / 1000))];
  const headers = {
    "content-type": "application/json", "webhook-id": id, "webhook-timestamp": timestamp,
    "webhook-signature": sign(id, timestamp, body),
  };
  const answer = await fetch(`${options.satchel}/gateway/v1/${path}`, {
    method: "POST", headers, body,
  }).catch((error) => ({ status: 503, text: () => error.message }));
  if (answer.status < 500 || attempt === 8) return [answer.status, await answer.text()];
  await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
  return tell(path, content, attempt + 1);
}

// Into a folder named by the message's id; the folder appears when everything is in it.
async function deliver(message) {
  const folder = join(options.out, message.message_id);
  if (existsSync(folder)) return; // It was handed over before.
  const unfinished = `${folder}.${randomUUID()}`;
  mkdirSync(unfinished, { recursive: true });
  for (const [index, part] of message.parts.entries()) {
    if (part.type !== "media" || part.url === null) continue;
    const file = await fetch(part.url);
    if (!file.ok) throw new Error(`${part.url}: ${file.status}`);
    const name = `${index}-${basename(part.filename)}`;
    writeFileSync(join(unfinished, name), Buffer.from(await file.arrayBuffer()));
  }
  writeFileSync(join(unfinished, "message.json"), JSON.stringify(message, null, 2));
  renameSync(unfinished, folder);
}

createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  if (request.method === "POST" && request.url === "/come-in") {
    const [status, text] = await tell("inbound", JSON.parse(body)); // For you alone: not signed.
    return response.writeHead(status).end(text);
  }
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  const message = JSON.parse(body);
  try {
    await deliver(message);
  } catch (error) {
    console.error(error.message);
    return response.writeHead(503).end(); // Satchel hands it over again later.
  }
  response.writeHead(202).end();
  for (const status of ["sent", "delivered"]) {
    const at = new Date().toISOString();
    await tell("statuses", { message_id: message.message_id, status, at });
  }
}).listen(Number(options.port), "127.0.0.1", function () {
  console.log(`bridge on http://127.0.0.1:${this.address().port}`);
});

createInterface({ input: process.stdin }).on("line", async (line) => {
  console.log(...(await tell("inbound", JSON.parse(line))));
});
