-- Several versions of the master key, and how far re-wrapping has come.
-- Every table and column is explained in docs/formats/metadata.md.

CREATE TABLE master_keys (
    version INTEGER PRIMARY KEY,
    key_check BLOB NOT NULL CHECK (length(key_check) = 8),
    in_use_since INTEGER NOT NULL,
    emptied_at INTEGER,
    retired_at INTEGER
) STRICT;

CREATE TABLE key_rewrap (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    after_seq INTEGER NOT NULL
) STRICT;

-- An attachment whose key was wrapped before a newer version came, and that is stored only now.
CREATE TRIGGER attachments_late_wrapping AFTER INSERT ON attachments
WHEN NEW.key_version < (SELECT max(version) FROM master_keys)
BEGIN
    SELECT RAISE(ABORT, 'wrapped under a retired master key') FROM master_keys
    WHERE version = NEW.key_version AND retired_at IS NOT NULL;
    UPDATE master_keys SET emptied_at = NULL WHERE version = NEW.key_version;
    UPDATE key_rewrap SET after_seq = NEW.seq - 1 WHERE after_seq >= NEW.seq;
END;
