// One HTTP request on a connection of its own, with nothing added that was not asked for but
// Host and Content-Length.

import http from "node:http";
import https from "node:https";

import { within } from "./deadline.mjs";

// { status, headers (lower-case names), rawHeaders, body (Buffer), cut }.
// `body`: string, Buffer, or an (async) iterable of Buffers, which is sent as it comes.
// `cut`: the connection ended before the announced body was there.
export function request(
  url,
  { method = "GET", headers = {}, body, deadlineMs = 60_000, ...rest } = {},
) {
  const [, scheme, authority, target] = /^(https?):\/\/([^/?#]+)(.*)$/s.exec(url);
  const { hostname, port } = new URL(`${scheme}://${authority}`);
  const module = scheme === "https" ? https : http;
  const answered = new Promise((resolve, reject) => {
    const outgoing = module.request({
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: port || undefined,
      path: target || "/", // As it stands: nothing is normalised away.
      method,
      headers,
      agent: false,
      ...rest,
    });
    let incoming;
    outgoing.on("response", (message) => {
      incoming = message;
      const chunks = [];
      const done = (cut) =>
        resolve({
          status: message.statusCode,
          headers: message.headers,
          rawHeaders: message.rawHeaders,
          body: Buffer.concat(chunks),
          cut,
        });
      message.on("data", (bytes) => chunks.push(bytes));
      message.on("end", () => done(!message.complete));
      message.on("aborted", () => done(true));
      message.on("error", () => done(true));
    });
    // An early answer may break off what we are still sending.
    outgoing.on("error", (error) => {
      if (!incoming) reject(error);
    });
    outgoing.setTimeout(deadlineMs, () =>
      outgoing.destroy(new Error(`${method} ${url}: too slow`)),
    );
    send(outgoing, body).catch((error) => outgoing.destroy(error));
  });
  return within(answered, { what: `${method} ${url}`, deadlineMs });
}

async function send(outgoing, body) {
  if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) {
    outgoing.end(body);
    return;
  }
  for await (const bytes of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(bytes)) {
      await new Promise((resolve) => {
        const goOn = () => {
          outgoing.off("drain", goOn).off("close", goOn);
          resolve();
        };
        outgoing.on("drain", goOn).on("close", goOn);
      });
    }
  }
  outgoing.end();
}
