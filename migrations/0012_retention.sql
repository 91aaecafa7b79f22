-- What deletions leave to be done elsewhere, and how far the audit was cut.
-- Every table and column is explained in docs/formats/metadata.md and docs/formats/audit.md.

-- Deletions that the edge has yet to be told of.
CREATE TABLE edge_purges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    partner BLOB NOT NULL,
    attachment BLOB NOT NULL,
    forms TEXT NOT NULL
) STRICT;

-- Events that show an attachment: their bodies are rewritten when it is deleted.
CREATE TABLE webhook_mentions (
    attachment BLOB NOT NULL,
    delivery INTEGER NOT NULL,
    PRIMARY KEY (attachment, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_mentions_by_delivery ON webhook_mentions (delivery);
CREATE TRIGGER webhook_mentions_go_with_their_event AFTER DELETE ON webhook_outbox
BEGIN DELETE FROM webhook_mentions WHERE delivery = OLD.seq; END;

CREATE INDEX chats_by_icon ON chats (icon) WHERE icon IS NOT NULL;
CREATE INDEX idempotency_keys_by_message ON idempotency_keys (message);

-- The beginning of the audit that retention removed.
CREATE TABLE audit_cut (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    cut_at INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;
DROP TRIGGER deletion_audit_keeps_rows;
CREATE TRIGGER deletion_audit_keeps_rows BEFORE DELETE ON deletion_audit
WHEN OLD.seq > coalesce((SELECT seq FROM audit_cut), 0)
BEGIN SELECT RAISE(ABORT, 'deletion_audit is append-only'); END;
