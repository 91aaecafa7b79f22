// HTTP by hand: what no client library would send, and every byte that comes back.

import net from "node:net";

import { until, within } from "./deadline.mjs";

const answerMs = 20_000;

export class RawConnection {
  constructor(socket) {
    this.socket = socket;
    this.received = Buffer.alloc(0);
    this.closed = false;
    socket.on("data", (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    socket.on("error", () => {});
    socket.on("end", () => {
      this.closed = true;
    });
    socket.on("close", () => {
      this.closed = true;
    });
  }

  send(text) {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  }

  // Takes the next whole answer: { status, headers, body }. An interim answer (1xx) is one too.
  // `bodyless`: it answers a HEAD.
  async answer({ bodyless = false, deadlineMs = answerMs } = {}) {
    const taken = await until(() => this.take(bodyless), {
      what: `an answer; got ${JSON.stringify(this.received.toString("latin1").slice(0, 300))}`,
      deadlineMs,
    });
    if (taken === "closed") throw new Error("the connection was closed without an answer");
    return taken;
  }

  take(bodyless) {
    const end = this.received.indexOf("\r\n\r\n");
    if (end < 0) return this.closed && "closed";
    const [first, ...lines] = this.received.subarray(0, end).toString("latin1").split("\r\n");
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const status = Number(first.split(" ")[1]);
    const hasBody = !bodyless && status >= 200 && status !== 204 && status !== 304;
    const size = hasBody ? Number(headers["content-length"] ?? 0) : 0;
    if (this.received.length < end + 4 + size) return this.closed && "closed";
    const body = this.received.subarray(end + 4, end + 4 + size);
    this.received = this.received.subarray(end + 4 + size);
    return { status, headers, body, line: first };
  }

  async untilClosed(deadlineMs = answerMs) {
    await until(() => this.closed, { what: "the end of the connection", deadlineMs });
  }
}

export async function connect(t, port, host = "127.0.0.1") {
  const socket = net.connect({ port, host, noDelay: true });
  t.after(() => socket.destroy());
  await within(
    new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    }),
    { what: `a connection to port ${port}` },
  );
  return new RawConnection(socket);
}

// Sends one request on a new connection and gives the answer.
export async function exchange(t, port, text, options) {
  const connection = await connect(t, port);
  connection.send(text);
  const answer = await connection.answer(options);
  connection.socket.destroy();
  return answer;
}
