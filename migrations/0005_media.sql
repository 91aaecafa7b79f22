-- What an upload's bytes turned out to be, and other forms of them, made for delivery.
-- Every table and column is explained in docs/formats/metadata.md.

-- The bytes are of another kind altogether than what was declared: never sent.
ALTER TABLE attachments ADD COLUMN contradicts_type INTEGER NOT NULL DEFAULT 0;
-- Taken while the virus scanner could not be asked.
ALTER TABLE attachments ADD COLUMN is_unscanned INTEGER NOT NULL DEFAULT 0;
DROP VIEW attachment_rows;
CREATE VIEW attachment_rows AS
SELECT a.id, a.partner, k.sealed AS sealed_key, a.key_version, a.sealed_name, a.content_type,
       a.size_bytes, a.state, a.tier, a.created_at, a.upload_expires_at, a.blob, a.sweep_at,
       a.is_sent, a.detected_type, a.contradicts_type, a.is_unscanned
FROM attachments a LEFT JOIN attachment_keys k ON k.slot = a.key_slot;

-- They live and go with their attachment.
CREATE TABLE renditions (
    attachment INTEGER NOT NULL,
    form TEXT NOT NULL,
    width INTEGER NOT NULL,
    blob BLOB NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    duration_ms INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (attachment, form, width)
) STRICT, WITHOUT ROWID;
