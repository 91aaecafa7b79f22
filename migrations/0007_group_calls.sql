-- Edits and reactions; contact cards; forwarding numbers.
-- Every table and column is explained in docs/formats/metadata.md.

ALTER TABLE messages ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
-- Set in a copy on another line of this server.
ALTER TABLE messages ADD COLUMN copy_of BLOB;
CREATE INDEX messages_unread ON messages (chat) WHERE direction = 'inbound' AND read_at IS NULL;

CREATE TABLE reactions (
    message INTEGER NOT NULL,
    part INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    type TEXT NOT NULL,
    sealed_emoji BLOB,
    reacted_at INTEGER NOT NULL,
    PRIMARY KEY (message, part, sender)
) STRICT, WITHOUT ROWID;
-- Numbers of messages are used again.
CREATE TRIGGER reactions_go_with_their_message AFTER DELETE ON messages
BEGIN DELETE FROM reactions WHERE message = OLD.seq; END;

-- Chats that a send never goes into, but an inbound message does.
CREATE INDEX chats_by_former_members ON chats (partner, line, members) WHERE is_reusable = 0;

CREATE TABLE contact_cards (
    partner BLOB NOT NULL,
    line TEXT NOT NULL,
    sealed_first_name BLOB NOT NULL,
    sealed_last_name BLOB,
    image BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (partner, line)
) STRICT, WITHOUT ROWID;

ALTER TABLE lines ADD COLUMN forwarding_number TEXT;
