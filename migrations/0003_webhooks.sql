-- Webhook subscriptions and the events that wait for them.
-- Every table and column is explained in docs/formats/webhooks.md.

-- seq is never used again: an event that waits for a removed subscription cannot reach another.
CREATE TABLE webhook_subscriptions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    partner BLOB NOT NULL,
    target_url TEXT NOT NULL,
    events TEXT NOT NULL,
    phone_numbers TEXT NOT NULL,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    sealed_secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX webhook_subscriptions_by_target ON webhook_subscriptions (partner, target_url);

-- A row waits (due_at is set) or was given up (failed_at is set); a delivered one is gone.
CREATE TABLE webhook_outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription INTEGER NOT NULL,
    event BLOB NOT NULL,
    event_type TEXT NOT NULL,
    lane INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER,
    failed_at INTEGER,
    last_status INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    CHECK ((due_at IS NULL) <> (failed_at IS NULL))
) STRICT;
CREATE INDEX webhook_outbox_waiting ON webhook_outbox (subscription, due_at)
    WHERE due_at IS NOT NULL;
CREATE INDEX webhook_outbox_failed ON webhook_outbox (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX webhook_outbox_failed_events ON webhook_outbox (event) WHERE failed_at IS NOT NULL;
