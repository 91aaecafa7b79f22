// Secrets derived from a data folder's master key, as docs/formats/keys.md describes.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

function masterKey(file) {
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((text) => text.startsWith("satchel-master-key "));
  const [, version, base64] = line.split(" ");
  if (version !== "1") throw new Error(`${file}: unknown version ${version}`);
  return Buffer.from(base64, "base64");
}

// What signs upload URLs, as the credentials of an S3 client.
export function uploadCredentials(dataFolder) {
  const secret = createHmac("sha256", masterKey(join(dataFolder, "master.key")))
    .update("satchel secret v1\0upload-url-v1")
    .digest("base64url");
  return { accessKeyId: "satchel", secretAccessKey: secret };
}
