// Lines and recipients: contact cards, forwarding, available numbers, blocked handles, capability.

import assert from "node:assert/strict";
import { test } from "node:test";

import { findInFiles } from "./support/data_folder.mjs";
import { request } from "./support/http_client.mjs";
import { assertError, assertXmlError, jsonOf } from "./support/partner_api.mjs";
import { firstMessage, refusal, sdkOf } from "./support/partner_client.mjs";
import { drawing, jpeg } from "./support/pictures.mjs";
import { startDev } from "./support/server.mjs";

const limit = { timeout: 120_000 };
const line = "+15550100001";
const otherLine = "+15550100002";
const ann = "+15551230001";
const photo = jpeg(drawing(64, 48));

test("a contact card is created once, listed, merged and shared; its names are sealed", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const { chat } = await client.chats.create({ from: line, to: [ann], message: firstMessage() });
  assert.deepEqual((await client.contactCard.retrieve()).contact_cards, []);
  await assert.rejects(client.chats.shareContactCard(chat.id), refusal(404, 2012));
  await assert.rejects(client.contactCard.update({ phone_number: line, first_name: "x" }), refusal(404, 2012));

  const uploaded = await server.api.upload({ filename: "me.jpg", contentType: "image/jpeg", bytes: photo });
  const made = await client.contactCard.create({
    phone_number: line, first_name: "Wilhelmina", image_url: uploaded.download_url,
  });
  assert.deepEqual({ ...made }, {
    phone_number: line, first_name: "Wilhelmina", is_active: true, image_url: uploaded.download_url,
  });
  await assert.rejects(client.contactCard.create({ phone_number: line, first_name: "x" }), refusal(409, 2014));
  await client.chats.shareContactCard(chat.id);

  const merged = await client.contactCard.update({ phone_number: line, last_name: "Featherstone" });
  assert.deepEqual({ ...merged }, { ...made, last_name: "Featherstone" });
  await client.contactCard.create({ phone_number: otherLine, first_name: "Other" });
  assert.deepEqual((await client.contactCard.retrieve()).contact_cards.map((each) => each.first_name),
    ["Wilhelmina", "Other"]);
  assert.deepEqual((await client.contactCard.retrieve({ phone_number: line })).contact_cards, [{ ...merged }]);
  assert.deepEqual((await client.contactCard.retrieve({ phone_number: "+15559999999" })).contact_cards, []);

  await client.attachments.delete(uploaded.attachment_id);
  assert.ok(!("image_url" in (await client.contactCard.retrieve({ phone_number: line })).contact_cards[0]));
  const bare = await client.contactCard.update({ phone_number: line, last_name: "" });
  assert.ok(!("last_name" in bare));
  assert.deepEqual(findInFiles(server.folder, ["Wilhelmina", "Featherstone"]), []);
});

test("what a contact card must be", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const create = (body) => client.contactCard.create({ phone_number: line, first_name: "Ada", ...body });
  await assert.rejects(create({ first_name: undefined }), refusal(400, 1001));
  await assert.rejects(create({ phone_number: undefined }), refusal(400, 1001));
  await assert.rejects(create({ first_name: "" }), refusal(400, 1005));
  await assert.rejects(create({ last_name: "x".repeat(256) }), refusal(400, 1005));
  await assert.rejects(create({ phone_number: "5551" }), refusal(400, 1002));
  await assert.rejects(create({ phone_number: "+15559999999" }), refusal(403, 2006));
  await assert.rejects(create({ image_url: "http://127.0.0.1:1/a.png" }), refusal(400, 5007));
  await assert.rejects(create({ image_url: "nonsense" }), refusal(400, 1005));
  assert.deepEqual((await client.contactCard.retrieve()).contact_cards, []);
  assertError(await server.api.call("PATCH", "/v3/contact_card", { body: {} }), 400, 1001);
});

test("an available number comes with a vCard that can be read until the link expires", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const client = sdkOf(server);
  await client.contactCard.create({ phone_number: line, first_name: "Ada; Countess", last_name: "Lovelace" });
  const found = await client.availableNumber.retrieve();
  assert.deepEqual(Object.keys(found).sort(), ["phone_number", "vcf_url"]);
  assert.equal(found.phone_number, line);
  const answer = await request(found.vcf_url);
  assert.equal(answer.status, 200, String(answer.body));
  assert.equal(answer.headers["content-type"], "text/vcard; charset=utf-8");
  assert.deepEqual(answer.body.toString().split("\r\n"), [
    "BEGIN:VCARD", "VERSION:3.0", "N:Lovelace;Ada\\; Countess;;;", "FN:Ada\\; Countess Lovelace",
    `TEL;TYPE=CELL,PREF:${line}`, `TEL;TYPE=CELL:${otherLine}`, "END:VCARD", "",
  ]);

  const other = found.vcf_url.replace("15550100001.vcf", "15550100002.vcf");
  assertXmlError(await request(other), 403, "SignatureDoesNotMatch");
  assertXmlError(await request(found.vcf_url.split("?")[0]), 403, "SignatureDoesNotMatch");
  assertXmlError(await request(found.vcf_url, { method: "POST" }), 403, "SignatureDoesNotMatch");
  await server.advanceClock(3601);
  assertXmlError(await request(found.vcf_url), 403, "AccessDenied", "Request has expired");
});

test("an available number is the line of the chat there is, and never one that is excluded", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  await client.chats.create({ from: otherLine, to: [ann], message: firstMessage() });
  const available = async (query) =>
    jsonOf(await server.api.call("GET", `/v3/available_number?${query}`)).phone_number;
  assert.equal((await client.availableNumber.retrieve({ to: [ann] })).phone_number, otherLine);
  assert.equal(await available("to=%2B15559990000"), line);
  assert.equal(await available(`exclude_from=${encodeURIComponent(line)}`), otherLine);
  const all = [line, otherLine].map((each) => `exclude_from=${encodeURIComponent(each)}`).join("&");
  assertError(await server.api.call("GET", `/v3/available_number?${all}`), 409, 2015);
  assertError(await server.api.call("GET", "/v3/available_number?to=nonsense"), 400, 1002);
});

test("a line's forwarding number is set, shown and cleared", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  const first = async () => (await client.phoneNumbers.list()).phone_numbers[0];
  const { id } = await first();
  const set = (forwarding_number, which = id) => client.phoneNumbers.update(which, { forwarding_number });
  assert.deepEqual({ ...(await set("+12025559999")) }, { id, phone_number: line, forwarding_number: "+12025559999" });
  assert.equal((await first()).forwarding_number, "+12025559999");
  for (const none of ["", null]) {
    await set("+12025559999");
    assert.equal((await set(none)).forwarding_number, null);
    assert.equal((await first()).forwarding_number, null);
  }
  await assert.rejects(set("5551"), refusal(400, 1002));
  await assert.rejects(set(undefined), refusal(400, 1001));
  await assert.rejects(set("+12025559999", "00000000-0000-4000-8000-000000000000"), refusal(404, 2019));
  await assert.rejects(set("+12025559999", "x"), refusal(400, 1005));
});

test("a blocked handle gets nothing until it is unblocked", limit, async (t) => {
  const server = await startDev(t);
  const client = sdkOf(server);
  // Node frames the body of a DELETE only if its length is given.
  const call = (method, body) => {
    const headers = body ? { "content-length": String(JSON.stringify(body).length) } : {};
    return server.api.call(method, "/v3/blocked_handles", { body, headers });
  };
  const blockedNow = async () => jsonOf(await call("GET")).blocked_handles;
  assert.deepEqual(await blockedNow(), []);
  const answer = await call("POST", { handle: ann, reason: "asked for it" });
  assert.equal(answer.status, 200, String(answer.body));
  const { blocked_handle: blocked } = jsonOf(answer);
  assert.deepEqual(Object.keys(blocked).sort(), ["blocked_at", "handle", "reason"]);
  assert.deepEqual(jsonOf(await call("POST", { handle: ann, reason: "again" })).blocked_handle, blocked);
  await call("POST", { handle: "cat@example.com" });
  assert.deepEqual((await blockedNow()).map((each) => each.handle), [ann, "cat@example.com"]);

  const send = () => client.chats.create({ from: line, to: [ann], message: firstMessage() });
  await assert.rejects(send(), refusal(403, 2026));
  assert.equal((await call("DELETE", { handle: ann })).status, 204);
  assert.equal((await call("DELETE", { handle: ann })).status, 204);
  await send();
  assertError(await call("POST", { handle: "5551" }), 400, 1002);
  assertError(await call("POST", {}), 400, 1001);
  assertError(await call("DELETE", {}), 400, 1001);
  assertError(await call("POST", { handle: ann, reason: "x".repeat(1001) }), 400, 1005);
});

test("a capability check says what the sandbox would do, once in ten seconds", limit, async (t) => {
  const server = await startDev(t, { args: ["--test-clock"] });
  const client = sdkOf(server);
  const check = async (kind, body) => {
    await server.advanceClock(10);
    return { ...(await client.capability[kind](body)) };
  };
  assert.deepEqual(await check("checkIMessage", { address: ann }),
    { address: ann, available: true, selected_service: "iMessage" });
  assert.deepEqual(await check("checkIMessage", { address: "cat@example.com", from: otherLine }),
    { address: "cat@example.com", available: true, selected_service: "iMessage" });
  assert.deepEqual(await check("checkRCS", { address: ann }),
    { address: ann, available: true, selected_service: "RCS" });
  assert.deepEqual(await check("checkRCS", { address: "+15551230405" }),
    { address: "+15551230405", available: false, reason: "not_supported" });

  const refused = await server.api.call("POST", "/v3/capability/check_rcs", { body: { address: ann } });
  const { error } = assertError(refused, 429, 1007);
  assert.ok(error.retry_after >= 1 && error.retry_after <= 10);
  assert.equal(refused.headers["retry-after"], String(error.retry_after));

  await assert.rejects(check("checkRCS", { address: "cat@example.com" }), refusal(400, 1005));
  await assert.rejects(check("checkIMessage", { address: "5551" }), refusal(400, 1002));
  await assert.rejects(check("checkIMessage", {}), refusal(400, 1001));
  await assert.rejects(check("checkIMessage", { address: ann, from: "+15559999999" }), refusal(403, 2006));
});
