// The partner API as a plain HTTP client sees it, and what every answer of it must be like.

import assert from "node:assert/strict";

import { request } from "./http_client.mjs";

export class PartnerApi {
  // `base`: http://host:port/api/partner, or http://host:port.
  constructor(base, key) {
    this.base = base;
    this.key = key;
  }

  call(method, path, { body, headers = {}, ...rest } = {}) {
    const isJson = body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body);
    return request(this.base + path, {
      method,
      headers: {
        ...(this.key ? { authorization: `Bearer ${this.key}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: isJson ? JSON.stringify(body) : body,
      ...rest,
    });
  }

  post(body, options) {
    return this.call("POST", "/v3/attachments", { body, ...options });
  }

  get(id, options) {
    return this.call("GET", `/v3/attachments/${id}`, options);
  }

  delete(id, options) {
    return this.call("DELETE", `/v3/attachments/${id}`, options);
  }

  // Asks for an upload and checks the answer's shape (contract 2.2).
  async create({ filename = "note.txt", contentType = "text/plain", size }) {
    const answer = await this.post({ filename, content_type: contentType, size_bytes: size });
    assert.equal(answer.status, 200, String(answer.body));
    assertTraced(answer);
    const created = jsonOf(answer);
    assert.deepEqual(Object.keys(created).sort(), [
      "attachment_id",
      "download_url",
      "expires_at",
      "http_method",
      "required_headers",
      "upload_url",
    ]);
    assert.match(
      created.attachment_id,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.equal(created.http_method, "PUT");
    assert.deepEqual(created.required_headers, {
      "Content-Type": contentType,
      "Content-Length": String(size),
    });
    assert.match(created.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
    return created;
  }

  // Creates and uploads: what create() returned, and the upload's ETag.
  async upload({ filename, contentType, bytes }) {
    const created = await this.create({ filename, contentType, size: bytes.length });
    const answer = await put(created, bytes);
    assert.equal(answer.status, 200, String(answer.body));
    return { ...created, etag: answer.headers.etag };
  }
}

// The upload as the answer to POST describes it; `changes` replaces or (undefined) drops headers.
export function put(
  created,
  bytes,
  { headers = {}, url = created.upload_url, method = "PUT", ...rest } = {},
) {
  const all = { ...created.required_headers, ...headers };
  return request(url, {
    method,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    body: bytes,
    ...rest,
  });
}

export function jsonOf(answer) {
  assert.match(answer.headers["content-type"] ?? "", /^application\/json\b/);
  return JSON.parse(answer.body.toString());
}

export function assertTraced(answer) {
  assert.match(answer.headers["x-trace-id"] ?? "", /^[0-9a-f]{32}$/, "X-Trace-ID");
}

// The error envelope of contract 1.4. Returns the body.
export function assertError(answer, status, code) {
  assert.equal(answer.status, status, String(answer.body));
  assertTraced(answer);
  const body = jsonOf(answer);
  assert.deepEqual(Object.keys(body).sort(), ["error", "success", "trace_id"]);
  assert.equal(body.success, false);
  assert.equal(body.trace_id, answer.headers["x-trace-id"]);
  const { error } = body;
  const members = ["code", "doc_url", "message", "status"];
  if (status === 429) members.splice(3, 0, "retry_after");
  assert.deepEqual(Object.keys(error).sort(), members);
  assert.equal(error.status, status);
  assert.equal(error.code, code, error.message);
  assert.equal(typeof error.message, "string");
  assert.notEqual(error.message, "");
  assert.equal(
    error.doc_url,
    `https://docs.linqapp.com/error/codes/${String(code)[0]}xxx/${code}/`,
  );
  return body;
}

// S3's XML error of contract 2.3.
export function assertXmlError(answer, status, code, message) {
  assert.equal(answer.status, status, String(answer.body));
  assertTraced(answer);
  assert.match(answer.headers["content-type"] ?? "", /^application\/xml\b/);
  const body = answer.body.toString();
  assert.match(body, /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*<Error>.*<\/Error>\s*$/s);
  assert.equal(/<Code>([^<]*)<\/Code>/.exec(body)?.[1], code, body);
  const said = /<Message>([^<]+)<\/Message>/.exec(body)?.[1];
  assert.ok(said, body);
  if (message) assert.equal(said, message);
}
