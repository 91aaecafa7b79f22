// docs/api/openapi.yaml: read, and held against what the server answers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

import { PartnerApi, jsonOf } from "./partner_api.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));

// As it stands.
export function readDocument() {
  return parse(readFileSync(`${root}docs/api/openapi.yaml`, "utf8"));
}

// The routes in the server's table: ["GET", "/v3/chats/{id}"] pairs.
export function servedRoutes() {
  const table = readFileSync(`${root}src/api/routes.cpp`, "utf8");
  return [...table.matchAll(/"([A-Z]+)",\s*"(\/[^"]*)"/g)].map(([, method, path]) => [method, `/v3${path}`]);
}

const methods = ["get", "put", "post", "delete", "patch", "head"];

// The documented operations: ["GET", "/v3/chats/{chatId}", operation] triples.
export function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.filter((each) => item[each]).map((each) => [each.toUpperCase(), path, item[each]]));
}

// Objects in answers have no members but the documented ones: clients must bear more, we do not
// send more.
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const out = Object.fromEntries(Object.entries(schema).map(([name, each]) => [name, closed(each)]));
  if (schema.type === "object" && schema.properties && !("additionalProperties" in schema)) {
    out.additionalProperties = false;
  }
  return out;
}

export class ApiDocument {
  constructor() {
    this.document = readDocument();
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.ajv);
    this.ajv.addSchema({ $id: "satchel", ...closed(this.document) });
    this.seen = new Set();
  }

  // What $ref names, or the thing itself, and the pointer to it.
  resolve(pointer) {
    let at = this.document;
    for (const name of pointer.split("/").slice(1)) {
      at = at[name.replaceAll("~1", "/").replaceAll("~0", "~")];
    }
    return at?.$ref ? this.resolve(at.$ref.slice(1)) : [at, pointer];
  }

  assertMatches(value, pointer, what) {
    const validate = this.ajv.getSchema(`satchel#${pointer}`);
    assert.ok(validate, `no schema at ${pointer}`);
    assert.ok(validate(value), `${what}: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`);
  }

  // That `answer` to `method` on `path` (concrete, below the base) is one that is documented.
  assertAnswer(method, path, answer) {
    const plain = path.split("?")[0];
    const template = Object.keys(this.document.paths).find((each) =>
      new RegExp(`^${each.replace(/\{\w+\}/g, "[^/]+")}$`).test(plain));
    const what = `${method} ${template ?? plain} ${answer.status}`;
    const operation = template && `/paths/${template.replaceAll("/", "~1")}/${method.toLowerCase()}`;
    const [response, pointer] = operation ? this.resolve(`${operation}/responses/${answer.status}`) : [];
    assert.ok(response, `${what} is not documented`);
    this.seen.add(what);
    if (!response.content) {
      assert.equal(answer.body.length, 0, `${what} has no body`);
      return;
    }
    const type = answer.headers["content-type"]?.split(";")[0];
    assert.ok(response.content[type], `${what} is of the type ${type}`);
    if (type !== "application/json") return;
    this.assertMatches(jsonOf(answer), `${pointer}/content/application~1json/schema`, what);
  }
}

// A PartnerApi whose every answer must be a documented one.
export class DocumentedApi extends PartnerApi {
  constructor(server, apiDocument, key = server.key) {
    super(server.baseUrl, key);
    this.apiDocument = apiDocument;
  }

  async call(method, path, options) {
    const answer = await super.call(method, path, options);
    this.apiDocument.assertAnswer(method, path, answer);
    return answer;
  }
}
