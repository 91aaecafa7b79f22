-- Chats, their participants and messages; the keys that make sends idempotent; durable jobs.
-- Every table and column is explained in docs/formats/metadata.md.

-- Rows of chats and messages are appended in order of seq, and their ids grow with time, so
-- that an insert touches the last page of the table and of the index on id.
CREATE TABLE chats (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    partner BLOB NOT NULL,
    line TEXT NOT NULL,
    members TEXT NOT NULL,
    is_reusable INTEGER NOT NULL CHECK (is_reusable IN (0, 1)),
    is_group INTEGER NOT NULL CHECK (is_group IN (0, 1)),
    given_name TEXT,
    icon_url TEXT,
    service TEXT NOT NULL,
    health TEXT NOT NULL,
    health_updated_at INTEGER NOT NULL,
    left_at INTEGER,
    last_ordinal INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chats_by_members ON chats (partner, line, members) WHERE is_reusable = 1;
CREATE INDEX chats_by_update ON chats (partner, updated_at, seq, line);

CREATE TABLE chat_handles (
    chat INTEGER NOT NULL,
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    handle TEXT NOT NULL,
    service TEXT NOT NULL,
    status TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    left_at INTEGER,
    PRIMARY KEY (chat, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_handles_by_handle ON chat_handles (handle, chat);

CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    partner BLOB NOT NULL,
    chat INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    direction TEXT NOT NULL,
    sender INTEGER NOT NULL,
    service TEXT NOT NULL,
    preferred_service TEXT,
    parts TEXT NOT NULL,
    effect_type TEXT,
    effect_name TEXT,
    reply_message BLOB,
    reply_part INTEGER,
    thread INTEGER,
    idempotency_key TEXT,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    sent_at INTEGER,
    delivered_at INTEGER,
    read_at INTEGER
) STRICT;
CREATE UNIQUE INDEX messages_by_chat ON messages (chat, ordinal);
CREATE INDEX messages_by_thread ON messages (thread, ordinal) WHERE thread IS NOT NULL;

-- Outlives its message: a key whose message was deleted never sends again.
CREATE TABLE idempotency_keys (
    partner BLOB NOT NULL,
    key TEXT NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (partner, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE opt_outs (
    partner BLOB NOT NULL,
    handle TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (partner, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE opt_out_overrides (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    partner BLOB NOT NULL,
    api_key BLOB NOT NULL,
    message BLOB NOT NULL
) STRICT;

CREATE TABLE blocked_handles (
    partner BLOB NOT NULL,
    handle TEXT NOT NULL,
    reason TEXT,
    blocked_at INTEGER NOT NULL,
    PRIMARY KEY (partner, handle)
) STRICT, WITHOUT ROWID;

-- due_at is also the lease's end: a worker that takes a job moves it to when another may.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    is_leased INTEGER NOT NULL CHECK (is_leased IN (0, 1)),
    due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (kind, due_at);
