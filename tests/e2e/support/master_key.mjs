// Keys of a data folder, as docs/formats/keys.md describes them: found without the server.

import { execFileSync } from "node:child_process";
import { createDecipheriv, createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const word = "satchel-master-key ";

const derive = (key, label, context = "") =>
  createHmac("sha256", key).update(`${label}\0`).update(context).digest();

// The key lines of a file, in its order: { version, key, line }.
export function keyLines(file) {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((text) => text.startsWith(word))
    .map((line) => {
      const [, version, base64] = line.split(" ");
      return { version: Number(version), key: Buffer.from(base64, "base64"), line };
    });
}

// Leaves these lines in the file, in place.
export function writeKeyLines(file, lines) {
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
}

// The database's own key, unwrapped.
function textKey(dataFolder) {
  const [row] = JSON.parse(
    execFileSync("sqlite3", [
      "-json",
      "-cmd",
      ".timeout 5000",
      `file:${join(dataFolder, "satchel.db")}?mode=ro`,
      "SELECT key_version AS version, hex(wrapped) AS wrapped FROM text_key",
    ]).toString(),
  );
  const master = keyLines(join(dataFolder, "master.key")).find(
    ({ version }) => version === row.version,
  );
  const wrapped = Buffer.from(row.wrapped, "hex");
  const aad = Buffer.alloc(4);
  aad.writeUInt32LE(row.version);
  const cipher = createDecipheriv(
    "aes-256-gcm",
    derive(master.key, "satchel text key v1"),
    Buffer.alloc(12),
  );
  cipher.setAAD(aad);
  cipher.setAuthTag(wrapped.subarray(32));
  return Buffer.concat([cipher.update(wrapped.subarray(0, 32)), cipher.final()]);
}

// What signs upload URLs, as the credentials of an S3 client.
export function uploadCredentials(dataFolder) {
  const secret = derive(textKey(dataFolder), "satchel secret v1", "upload-url-v1");
  return { accessKeyId: "satchel", secretAccessKey: secret.toString("base64url") };
}
