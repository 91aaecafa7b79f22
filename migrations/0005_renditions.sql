-- Other forms of an attachment's content, made for delivery. They live and go with it.
-- Every table and column is explained in docs/formats/metadata.md.

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
