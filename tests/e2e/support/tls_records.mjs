// A TLS 1.3 client that can send records which no TLS library would: handshake by node:tls over
// a socket of ours, records by hand with the client's traffic secret (RFC 8446 sections 5 and 7).

import { createCipheriv, createHmac } from "node:crypto";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";

export const contentType = { handshake: 22, applicationData: 23 };

function expandLabel(secret, label, length) {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0])]);
  const block = Buffer.concat([info, Buffer.from([1])]);
  return createHmac("sha384", secret).update(block).digest().subarray(0, length);
}

// Resolves, after the handshake, to { send(content, type), closed }: `closed` resolves when the
// server ends the connection.
export function connectWithRecords(port) {
  const raw = net.connect(port, "127.0.0.1");
  const relay = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      raw.write(chunk, done);
    },
  });
  raw.on("data", (chunk) => relay.push(chunk));
  raw.on("error", () => {});
  const closed = new Promise((resolve) => raw.once("close", resolve));
  raw.once("end", () => raw.end());

  const client = tls.connect({
    socket: relay,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    ciphers: "TLS_AES_256_GCM_SHA384",
  });
  client.on("error", () => {});
  let secret;
  client.on("keylog", (line) => {
    const [label, , value] = line.toString().trim().split(" ");
    if (label === "CLIENT_TRAFFIC_SECRET_0") secret = Buffer.from(value, "hex");
  });
  let sequence = 0n;
  const send = (content, type) => {
    const nonce = Buffer.from(expandLabel(secret, "iv", 12));
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequence, 4);
    sequence += 1n;
    const text = Buffer.concat([Buffer.from(content), Buffer.from([type])]);
    const head = Buffer.from([contentType.applicationData, 3, 3, 0, 0]);
    head.writeUInt16BE(text.length + 16, 3);
    const cipher = createCipheriv("aes-256-gcm", expandLabel(secret, "key", 32), nonce);
    cipher.setAAD(head);
    const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
    raw.write(Buffer.concat([head, sealed, cipher.getAuthTag()]));
  };
  return new Promise((resolve, reject) => {
    client.once("secureConnect", () => resolve({ send, closed }));
    raw.once("error", reject);
  });
}
