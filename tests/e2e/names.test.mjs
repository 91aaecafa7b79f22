// Any file name that JSON can hold survives in JSON and reaches neither a path nor a header raw.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { jsonOf, put } from "./support/partner_api.mjs";
import { exchange } from "./support/raw_http.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };

const names = [
  "plain.txt",
  "with blank.txt",
  " leading and trailing ",
  "naïve café.txt",
  "照片 😀.jpg",
  "\u202Egpj.exe.txt",
  'quo"te.txt',
  "back\\slash.txt",
  "semi;colon,comma=equals.txt",
  "percent%20%0d%0a.txt",
  "single'quote.txt",
  "new\r\nSet-Cookie: a=b\r\n\r\n<html>.txt",
  "tab\tand\u0001control\u007f.txt",
  "nul\u0000byte.txt",
  "c1\u0085\u009b.txt",
  "/etc/passwd",
  "../../../../etc/passwd",
  "..\\..\\windows\\system32",
  "..",
  ".",
  "...",
  "/",
  ".hidden",
  "a/b/c.txt",
  "C:\\autoexec.txt",
  "?query#fragment.txt",
  "{{7*7}}${7*7}<script>alert(1)</script>.txt",
  "'; DROP TABLE attachments; --.txt",
  "\uFEFFbom.txt",
  "line\u2028separator.txt",
  "combining e\u0301.txt",
  "x".repeat(251) + ".txt",
  "😀".repeat(255),
  "/".repeat(255),
];

test("names survive in JSON; URLs and headers carry them only encoded", limit, async (t) => {
  const server = await startDev(t);
  for (const filename of names) {
    await t.test(JSON.stringify(filename).slice(0, 60), async () => {
      const created = await server.api.create({ filename, size: 3 });
      assert.equal((await put(created, Buffer.from("abc"))).status, 200);
      const found = jsonOf(await server.api.get(created.attachment_id));
      assert.equal(found.filename, filename);

      const url = found.download_url;
      assert.equal(url, created.download_url);
      const folder = `${server.origin}/attachments/partners/${server.partnerId}/${created.attachment_id}/`;
      assert.ok(url.startsWith(folder), url);
      const segment = url.slice(folder.length);
      assert.match(segment, /^([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+$/);
      assert.doesNotMatch(segment, /^\./);
      assert.doesNotMatch(decodeURIComponent(segment), /[/\\\u0000-\u001f\u007f]/);
      assert.equal(new URL(url).href, url, "a client must not normalise it into another path");

      const answer = await exchange(
        t,
        server.port,
        `GET ${url.slice(server.origin.length)} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(answer.status, 200);
      assert.equal(String(answer.body), "abc");
      assert.equal(answer.headers["set-cookie"], undefined);
      const disposition = answer.headers["content-disposition"];
      assert.match(disposition, /^[\x20-\x7e]+$/);
      const parts =
        /^(inline|attachment); filename="((?:[^"\\]|\\.)*)"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+))?$/.exec(
          disposition,
        );
      assert.ok(parts, disposition);
      const shown =
        parts[3] === undefined ? parts[2].replace(/\\(.)/g, "$1") : decodeURIComponent(parts[3]);
      for (const name of [parts[2], shown]) {
        assert.doesNotMatch(name, /[/\u0000-\u001f\u007f]/);
        assert.notEqual(name, "");
        assert.ok(name !== "." && name !== "..");
      }
      if (!/[/\\\u0000-\u001f\u007f-\u009f]|^\./.test(filename)) assert.equal(shown, filename);
    });
  }
});

test("a name that JSON spells with escapes is the same name", limit, async (t) => {
  const server = await startDev(t);
  const body =
    '{"filename":"\\u00e9\\ud83d\\ude00\\u0000\\/\\n.txt","content_type":"text/plain","size_bytes":3}';
  const created = jsonOf(await server.api.post(body));
  assert.equal(jsonOf(await server.api.get(created.attachment_id)).filename, "é😀\u0000/\n.txt");
});

test("no name makes a file of its own in the data folder", limit, async (t) => {
  const server = await startDev(t);
  const before = readdirSync(server.folder).sort();
  for (const filename of names) {
    await server.api.upload({ filename, contentType: "text/plain", bytes: Buffer.from("abc") });
  }
  assert.deepEqual(readdirSync(server.folder).sort(), before);
});
