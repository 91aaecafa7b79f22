-- Ephemeral attachments and ephemeral messages: which scopes are ephemeral, and when what is
-- stored leaves. Every table and column is explained in docs/formats/metadata.md.

ALTER TABLE partners ADD COLUMN tier TEXT NOT NULL DEFAULT 'persistent';
ALTER TABLE lines ADD COLUMN tier TEXT NOT NULL DEFAULT 'persistent';
ALTER TABLE lines ADD COLUMN message_tier TEXT NOT NULL DEFAULT 'persistent';

ALTER TABLE messages ADD COLUMN expires_at INTEGER;
CREATE INDEX messages_to_expire ON messages (expires_at) WHERE expires_at IS NOT NULL;
-- With the message, or the first of the attachments, that the event describes.
ALTER TABLE webhook_outbox ADD COLUMN expires_at INTEGER;
CREATE INDEX webhook_outbox_to_expire ON webhook_outbox (expires_at)
    WHERE expires_at IS NOT NULL;
