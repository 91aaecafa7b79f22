-- Appended to, so that deletions that come together write one page of it, not one each.
-- Every table and column is explained in docs/formats/metadata.md.

CREATE TABLE appended_blob_removals (
    seq INTEGER PRIMARY KEY,
    blob BLOB NOT NULL
) STRICT;
INSERT INTO appended_blob_removals (blob) SELECT blob FROM blob_removals;
DROP TABLE blob_removals;
ALTER TABLE appended_blob_removals RENAME TO blob_removals;
