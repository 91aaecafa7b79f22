// Exact shapes of answers: every member there, none besides, each of its type.

import assert from "node:assert/strict";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

const matches = (what, test) => (value, where) =>
  assert.ok(test(value), `${where}: ${JSON.stringify(value)} is not ${what}`);

export const anId = matches("an id", (value) => uuid.test(value));
export const aTime = matches("a time", (value) => rfc3339.test(value));
export const aString = matches("a string", (value) => typeof value === "string");
export const aUrl = matches("a URL", (value) => typeof value === "string" && URL.canParse(value));
export const aBool = matches("true or false", (value) => typeof value === "boolean");
export const anInteger = matches("an integer", Number.isInteger);
export const oneOf = (...values) => matches(`one of ${values}`, (value) => values.includes(value));
export const nullOr = (shape) => (value, where) => value === null || assertShape(value, shape, where);
export const listOf = (shape) => (value, where) => {
  assert.ok(Array.isArray(value), `${where}: not an array`);
  value.forEach((each, index) => assertShape(each, shape, `${where}[${index}]`));
};

// `shape`: a function (value, where) that asserts, an object of shapes whose members must be
// exactly the value's, an array of shapes, or a plain value that must be equal.
export function assertShape(value, shape, where = "answer") {
  if (typeof shape === "function") {
    shape(value, where);
  } else if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value) && value.length === shape.length, `${where}: ${value}`);
    shape.forEach((each, index) => assertShape(value[index], each, `${where}[${index}]`));
  } else if (shape !== null && typeof shape === "object") {
    assert.ok(value !== null && typeof value === "object", `${where}: ${value} is not an object`);
    assert.deepEqual(Object.keys(value).sort(), Object.keys(shape).sort(), `${where}: members`);
    for (const [name, each] of Object.entries(shape)) assertShape(value[name], each, `${where}.${name}`);
  } else {
    assert.equal(value, shape, where);
  }
}

// The objects of contract section 3.

const service = oneOf("iMessage", "SMS", "RCS");
const deliveryStatus = oneOf("pending", "queued", "sent", "delivered", "received", "read", "failed");

export const handleShape = {
  id: anId,
  handle: aString,
  service,
  status: oneOf("active", "left", "removed"),
  is_me: aBool,
  joined_at: aTime,
  left_at: nullOr(aTime),
};

export const healthShape = {
  status: oneOf("HEALTHY", "AT_RISK", "CRITICAL", "OPTED_OUT"),
  doc_url: aUrl,
  updated_at: aTime,
};

export const chatShape = {
  id: anId,
  display_name: nullOr(aString),
  service,
  handles: listOf(handleShape),
  health_status: healthShape,
  is_archived: false,
  is_group: aBool,
  group_chat_icon: nullOr(aUrl),
  created_at: aTime,
  updated_at: aTime,
};

export const textShape = {
  type: "text",
  value: aString,
  text_decorations: nullOr(listOf((each, where) => {
    const kind = "style" in each ? "style" : "animation";
    assertShape(each, { range: [anInteger, anInteger], [kind]: aString }, where);
  })),
  mention: null,
  mention_range: null,
  reactions: null,
};

export const mediaShape = {
  type: "media",
  id: anId,
  url: aUrl,
  filename: aString,
  mime_type: aString,
  size_bytes: anInteger,
  reactions: null,
};

// What is left of a part whose attachment was deleted (contract section 2.9).
export const goneMediaShape = {
  ...mediaShape,
  id: null,
  url: null,
  filename: null,
  mime_type: null,
  size_bytes: null,
};

export const linkShape = { type: "link", value: aUrl, reactions: null };

const part = (value, where) =>
  assertShape(value, { text: textShape, media: mediaShape, link: linkShape }[value.type], where);
const effectShape = { type: oneOf("screen", "bubble"), name: aString };
const replyShape = { message_id: anId, part_index: anInteger };

export const sentMessageShape = {
  id: anId,
  created_at: aTime,
  delivery_status: "pending",
  is_read: false,
  parts: listOf(part),
  sent_at: null,
  delivered_at: null,
  effect: nullOr(effectShape),
  from_handle: handleShape,
  preferred_service: nullOr(service),
  reply_to: nullOr(replyShape),
  service,
};

export const messageShape = {
  ...sentMessageShape,
  chat_id: anId,
  updated_at: aTime,
  delivery_status: deliveryStatus,
  is_delivered: aBool,
  is_read: aBool,
  is_from_me: aBool,
  from: aString,
  sent_at: nullOr(aTime),
  delivered_at: nullOr(aTime),
  read_at: nullOr(aTime),
};

export const createdChatShape = {
  id: anId,
  display_name: aString,
  is_group: aBool,
  service,
  handles: listOf(handleShape),
  health_status: healthShape,
  message: sentMessageShape,
};

export const sentFromAnyShape = {
  chat_id: anId,
  created_new_chat: aBool,
  from: aString,
  from_selection: {
    reason: oneOf("reused_active_chat", "new_best_number", "failover_flagged"),
    reused_existing_chat: aBool,
  },
  handles: listOf(handleShape),
  is_group: aBool,
  message: sentMessageShape,
  service,
  previous_chat_id: nullOr(anId),
};

export const voiceMemoShape = {
  id: anId,
  from: aString,
  to: listOf(aString),
  status: "queued",
  service,
  created_at: aTime,
  voice_memo: {
    id: anId,
    url: aUrl,
    filename: aString,
    mime_type: aString,
    size_bytes: anInteger,
    duration_ms: nullOr(anInteger),
  },
  chat: {
    id: anId,
    handles: listOf(handleShape),
    is_group: aBool,
    is_active: aBool,
    service,
  },
};

// The objects of contract sections 5.4 to 5.7.

const webhookPart = (value, where) => {
  const textPart = { type: "text", value: aString };
  if ("text_decorations" in value) textPart.text_decorations = textShape.text_decorations;
  const { reactions: _, ...mediaPart } = mediaShape;
  const { reactions: __, ...linkPart } = linkShape;
  assertShape(value, { text: textPart, media: mediaPart, link: linkPart }[value.type], where);
};

export const webhookEnvelope = (type, version, data) => ({
  api_version: "v3",
  webhook_version: version,
  event_type: type,
  event_id: anId,
  created_at: aTime,
  trace_id: matches("a trace id", (value) => /^[0-9a-f]{32}$/.test(value)),
  partner_id: anId,
  data,
});

// Which times an event of message.* tells.
const timesOf = (type) => ({
  sent_at: aTime,
  delivered_at: ["message.delivered", "message.read"].includes(type) ? aTime : null,
  read_at: type === "message.read" ? aTime : null,
});

const messageData2026 = (type) => ({
  id: anId,
  chat: {
    id: anId,
    health_status: healthShape,
    is_group: aBool,
    owner_handle: { ...handleShape, is_me: true },
  },
  direction: type === "message.received" ? "inbound" : "outbound",
  sender_handle: { ...handleShape, is_me: type !== "message.received" },
  service,
  parts: listOf(webhookPart),
  effect: nullOr(effectShape),
  reply_to: nullOr(replyShape),
  idempotency_key: nullOr(aString),
  preferred_service: nullOr(oneOf("iMessage", "SMS", "RCS", "auto")),
  ...timesOf(type),
});

const messageData2025 = (type) => {
  const isInbound = type === "message.received";
  const times = timesOf(type);
  return {
    chat_id: anId,
    is_group: aBool,
    service,
    from: aString,
    from_handle: { ...handleShape, is_me: !isInbound },
    is_from_me: !isInbound,
    idempotency_key: nullOr(aString),
    preferred_service: nullOr(oneOf("iMessage", "SMS", "RCS", "auto")),
    received_at: isInbound ? aTime : null,
    recipient_handle: isInbound ? { ...handleShape, is_me: true } : null,
    recipient_phone: null,
    ...(type === "message.delivered" ? { message_id: anId, delivered_at: aTime } : {}),
    ...(type === "message.read" ? { message_id: anId, read_at: aTime } : {}),
    message: {
      id: anId,
      created_at: aTime,
      updated_at: aTime,
      ...times,
      is_delivered: times.delivered_at !== null,
      is_read: times.read_at !== null,
      parts: listOf(webhookPart),
      effect: nullOr(effectShape),
      reply_to: nullOr(replyShape),
    },
  };
};

const { is_archived: _, ...chatCreatedData } = chatShape;

const failedData = {
  code: oneOf(3007, 4001, 4002, 4005),
  failed_at: aTime,
  chat_id: anId,
  message_id: anId,
  reason: aString,
  detail_code: null,
  preferred_service: nullOr(service),
  service,
};

// The whole body of a delivery of `type`.
export function webhookShape(type, version) {
  const messageData = version === "2025-01-01" ? messageData2025 : messageData2026;
  const data = { "chat.created": chatCreatedData, "message.failed": failedData }[type];
  return webhookEnvelope(type, version, data ?? messageData(type));
}
