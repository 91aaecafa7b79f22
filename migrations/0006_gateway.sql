-- What the carrier's bridge handed in, by its own id, so that each message comes in once.
-- Every table and column is explained in docs/formats/metadata.md.
CREATE TABLE gateway_inbox (
    seq INTEGER PRIMARY KEY,
    line TEXT NOT NULL,
    bridge_id TEXT NOT NULL,
    message BLOB NOT NULL,
    partner BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    sealed_message BLOB,
    UNIQUE (line, bridge_id)
) STRICT;
CREATE INDEX gateway_inbox_done ON gateway_inbox (received_at) WHERE sealed_message IS NULL;
