-- Texts of people are sealed under a key of the database's own. What earlier builds, none of them
-- released, had stored in clear is not carried over: messages and waiting events.
-- Every table and column is explained in docs/formats/metadata.md.

CREATE TABLE text_key (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key_version INTEGER NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;

DELETE FROM jobs;
DROP TABLE messages;
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    partner BLOB NOT NULL,
    chat INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    direction TEXT NOT NULL,
    sender INTEGER NOT NULL,
    service TEXT NOT NULL,
    preferred_service TEXT,
    sealed_parts BLOB NOT NULL,
    effect_type TEXT,
    effect_name TEXT,
    reply_message BLOB,
    reply_part INTEGER,
    thread INTEGER,
    idempotency_key TEXT,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    sent_at INTEGER,
    delivered_at INTEGER,
    read_at INTEGER
) STRICT;
CREATE UNIQUE INDEX messages_by_chat ON messages (chat, ordinal);
CREATE INDEX messages_by_thread ON messages (thread, ordinal) WHERE thread IS NOT NULL;

-- A row waits (due_at is set) or was given up (failed_at is set); a delivered one is gone.
DROP TABLE webhook_outbox;
CREATE TABLE webhook_outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription INTEGER NOT NULL,
    event BLOB NOT NULL,
    event_type TEXT NOT NULL,
    lane INTEGER NOT NULL,
    sealed_body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER,
    failed_at INTEGER,
    last_status INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    CHECK ((due_at IS NULL) <> (failed_at IS NULL))
) STRICT;
CREATE INDEX webhook_outbox_waiting ON webhook_outbox (subscription, due_at)
    WHERE due_at IS NOT NULL;
CREATE INDEX webhook_outbox_failed ON webhook_outbox (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX webhook_outbox_failed_events ON webhook_outbox (event) WHERE failed_at IS NOT NULL;

ALTER TABLE chats DROP COLUMN given_name;
ALTER TABLE chats DROP COLUMN icon_url;
ALTER TABLE chats ADD COLUMN sealed_name BLOB;
ALTER TABLE chats ADD COLUMN icon BLOB;

ALTER TABLE blocked_handles DROP COLUMN reason;
ALTER TABLE blocked_handles ADD COLUMN sealed_reason BLOB;

-- A message that refers to an attachment fixes its content.
ALTER TABLE attachments ADD COLUMN is_sent INTEGER NOT NULL DEFAULT 0;
-- What the bytes were found to be; empty when they are not recognised.
ALTER TABLE attachments ADD COLUMN detected_type TEXT NOT NULL DEFAULT '';
DROP VIEW attachment_rows;
CREATE VIEW attachment_rows AS
SELECT a.id, a.partner, k.sealed AS sealed_key, a.key_version, a.sealed_name, a.content_type,
       a.size_bytes, a.state, a.tier, a.created_at, a.upload_expires_at, a.blob, a.sweep_at,
       a.is_sent, a.detected_type
FROM attachments a LEFT JOIN attachment_keys k ON k.slot = a.key_slot;
