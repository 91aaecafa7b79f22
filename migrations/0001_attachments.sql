-- Partners with their API keys and lines; attachments; what deletions leave behind.
-- Every table and column is explained in docs/formats/metadata.md.
-- Ids are 16 bytes, times are microseconds since 1970-01-01T00:00:00Z.

CREATE TABLE partners (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT, WITHOUT ROWID;

-- Stored by hash: every request looks its key up.
CREATE TABLE api_keys (
    hash BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    partner BLOB NOT NULL REFERENCES partners (id),
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_partner ON api_keys (partner);

CREATE TABLE lines (
    number TEXT NOT NULL PRIMARY KEY,
    partner BLOB NOT NULL REFERENCES partners (id),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lines_by_partner ON lines (partner);

-- Rows are appended in order of seq, so that an insert touches the last page and one leaf of
-- the index on id. No foreign keys: partners are never removed, and a key slot never goes.
CREATE TABLE attachments (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    partner BLOB NOT NULL,
    key_slot INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    sealed_name BLOB NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    state TEXT NOT NULL,
    tier TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    upload_expires_at INTEGER NOT NULL,
    blob BLOB,
    sweep_at INTEGER
) STRICT;
CREATE INDEX attachments_to_sweep ON attachments (sweep_at) WHERE sweep_at IS NOT NULL;
CREATE UNIQUE INDEX attachments_by_blob ON attachments (blob) WHERE blob IS NOT NULL;

-- Wrapped keys stand apart in slots of one size that are only ever appended or overwritten in
-- place. SQLite moves rows between pages when it balances a tree, and secure_delete does not
-- reach every copy that leaves behind; a slot never moves, so overwriting it destroys the key.
CREATE TABLE attachment_keys (
    slot INTEGER PRIMARY KEY,
    in_use INTEGER NOT NULL CHECK (in_use IN (0, 1)),
    sealed BLOB NOT NULL CHECK (length(sealed) = 64)
) STRICT;
CREATE INDEX attachment_keys_free ON attachment_keys (slot) WHERE in_use = 0;

CREATE VIEW attachment_rows AS
SELECT a.id, a.partner, k.sealed AS sealed_key, a.key_version, a.sealed_name, a.content_type,
       a.size_bytes, a.state, a.tier, a.created_at, a.upload_expires_at, a.blob, a.sweep_at
FROM attachments a LEFT JOIN attachment_keys k ON k.slot = a.key_slot;

CREATE TABLE blob_removals (
    blob BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE deletion_audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    partner BLOB NOT NULL,
    attachment BLOB NOT NULL,
    cause TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX deletion_audit_by_partner ON deletion_audit (partner, seq);
CREATE TRIGGER deletion_audit_keeps_rows BEFORE DELETE ON deletion_audit
BEGIN SELECT RAISE(ABORT, 'deletion_audit is append-only'); END;
CREATE TRIGGER deletion_audit_keeps_content BEFORE UPDATE ON deletion_audit
BEGIN SELECT RAISE(ABORT, 'deletion_audit is append-only'); END;
