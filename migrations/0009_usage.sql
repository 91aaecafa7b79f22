-- What each partner has stored, counted as it changes, and how much each may have.
-- Every table and column is explained in docs/formats/metadata.md.

-- Absent or NULL: the server's setting. 0: no limit.
CREATE TABLE partner_limits (
    partner BLOB NOT NULL PRIMARY KEY,
    bytes INTEGER,
    files INTEGER,
    pending INTEGER,
    requests_per_minute INTEGER,
    creates_per_minute INTEGER,
    sends_per_minute INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE partner_usage (
    partner BLOB NOT NULL PRIMARY KEY,
    pending INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    pending_bytes INTEGER NOT NULL,
    complete_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO partner_usage
SELECT partner, count(CASE WHEN state = 'pending' THEN 1 END),
       count(CASE WHEN state = 'complete' THEN 1 END),
       count(CASE WHEN state = 'failed' THEN 1 END),
       coalesce(sum(CASE WHEN state = 'pending' THEN size_bytes END), 0),
       coalesce(sum(CASE WHEN state = 'complete' THEN size_bytes END), 0)
FROM attachments GROUP BY partner;

-- Triggers, so that no way of changing an attachment is forgotten.
CREATE TRIGGER attachments_count_new AFTER INSERT ON attachments BEGIN
    INSERT INTO partner_usage (partner, pending, complete, failed, pending_bytes, complete_bytes)
    VALUES (NEW.partner, NEW.state = 'pending', NEW.state = 'complete', NEW.state = 'failed',
            NEW.size_bytes * (NEW.state = 'pending'), NEW.size_bytes * (NEW.state = 'complete'))
    ON CONFLICT (partner) DO UPDATE SET
        pending = pending + excluded.pending,
        complete = complete + excluded.complete,
        failed = failed + excluded.failed,
        pending_bytes = pending_bytes + excluded.pending_bytes,
        complete_bytes = complete_bytes + excluded.complete_bytes;
END;

CREATE TRIGGER attachments_count_change AFTER UPDATE OF state, size_bytes ON attachments
WHEN OLD.state <> NEW.state OR OLD.size_bytes <> NEW.size_bytes BEGIN
    UPDATE partner_usage SET
        pending = pending - (OLD.state = 'pending') + (NEW.state = 'pending'),
        complete = complete - (OLD.state = 'complete') + (NEW.state = 'complete'),
        failed = failed - (OLD.state = 'failed') + (NEW.state = 'failed'),
        pending_bytes = pending_bytes - OLD.size_bytes * (OLD.state = 'pending')
                        + NEW.size_bytes * (NEW.state = 'pending'),
        complete_bytes = complete_bytes - OLD.size_bytes * (OLD.state = 'complete')
                         + NEW.size_bytes * (NEW.state = 'complete')
    WHERE partner = NEW.partner;
END;

CREATE TRIGGER attachments_count_gone AFTER DELETE ON attachments BEGIN
    UPDATE partner_usage SET
        pending = pending - (OLD.state = 'pending'),
        complete = complete - (OLD.state = 'complete'),
        failed = failed - (OLD.state = 'failed'),
        pending_bytes = pending_bytes - OLD.size_bytes * (OLD.state = 'pending'),
        complete_bytes = complete_bytes - OLD.size_bytes * (OLD.state = 'complete')
    WHERE partner = OLD.partner;
END;
