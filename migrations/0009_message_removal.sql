-- Messages are removed with all that hangs from them, and their numbers are never used again.
-- Every table and column is explained in docs/formats/metadata.md and docs/formats/webhooks.md.

ALTER TABLE messages RENAME TO messages_before;
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
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
    read_at INTEGER,
    edits INTEGER NOT NULL DEFAULT 0,
    copy_of BLOB
) STRICT;
INSERT INTO messages (seq, id, partner, chat, ordinal, direction, sender, service,
                      preferred_service, sealed_parts, effect_type, effect_name, reply_message,
                      reply_part, thread, idempotency_key, status, created_at, updated_at, sent_at,
                      delivered_at, read_at, edits, copy_of)
SELECT seq, id, partner, chat, ordinal, direction, sender, service, preferred_service,
       sealed_parts, effect_type, effect_name, reply_message, reply_part, thread, idempotency_key,
       status, created_at, updated_at, sent_at, delivered_at, read_at, edits, copy_of
FROM messages_before;
-- Its indexes and its trigger go with it.
DROP TRIGGER reactions_go_with_their_message;
DROP TABLE messages_before;
CREATE UNIQUE INDEX messages_by_chat ON messages (chat, ordinal);
CREATE INDEX messages_by_thread ON messages (thread, ordinal) WHERE thread IS NOT NULL;
CREATE INDEX messages_unread ON messages (chat) WHERE direction = 'inbound' AND read_at IS NULL;
CREATE TRIGGER reactions_go_with_their_message AFTER DELETE ON messages
BEGIN DELETE FROM reactions WHERE message = OLD.seq; END;

-- The message an event is about.
ALTER TABLE webhook_outbox ADD COLUMN message BLOB;
CREATE INDEX webhook_outbox_by_message ON webhook_outbox (message) WHERE message IS NOT NULL;
CREATE INDEX jobs_by_subject ON jobs (kind, subject);
