// Upload URLs made by Amazon's own code with the data folder's secret.

import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import { uploadCredentials } from "./master_key.mjs";

// A URL for the PUT that `created` (an answer to POST) describes. `command` and `client`: further
// options of theirs; `sign`: those of getSignedUrl, and `headers` to sign beside the usual ones,
// `without` to leave one of those out.
export async function presign(server, created, { command = {}, client = {}, sign = {} } = {}) {
  const s3 = new S3Client({
    endpoint: server.origin,
    region: "local",
    forcePathStyle: true,
    credentials: uploadCredentials(server.folder),
    ...client,
  });
  const put = new PutObjectCommand({
    Bucket: "_upload",
    Key: created.attachment_id,
    ContentType: created.required_headers["Content-Type"],
    ContentLength: Number(created.required_headers["Content-Length"]),
    ...command,
  });
  const { headers = [], without, ...rest } = sign;
  const signed = ["content-type", "content-length", "host", ...headers];
  return getSignedUrl(s3, put, {
    expiresIn: 600,
    ...rest,
    signableHeaders: new Set(signed.filter((name) => name !== without)),
  });
}
