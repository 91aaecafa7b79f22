-- The deletion audit becomes a hash chain with a signed end.
-- Every table and column is explained in docs/formats/audit.md.

-- Rows of before are empty here until the chain is begun, which the first start with keys does.
ALTER TABLE deletion_audit ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
DROP TRIGGER deletion_audit_keeps_content;
CREATE TRIGGER deletion_audit_keeps_content BEFORE UPDATE ON deletion_audit
WHEN length(OLD.hash) > 0
BEGIN SELECT RAISE(ABORT, 'deletion_audit is append-only'); END;

-- An index is a second truth that the chain does not cover, and costs every delete.
DROP INDEX deletion_audit_by_partner;

CREATE TABLE audit_chain (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    begun_at INTEGER NOT NULL,
    inherited INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
