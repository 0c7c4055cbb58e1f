-- Checking references of the rows that each message writes costs something each time. Those rows
-- are written by the engine alone. What is left to do is what references did besides: rows go
-- with what they belong to. A reply refers to its root; other copies refer to nothing. SQLite
-- can't drop a reference, so the tables are made anew: first those that refer to others, since
-- dropping a table deletes its rows. Attempts lie in the tree of their key, without another one.

CREATE TABLE attempts_anew (
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL,
    copy          BLOB NOT NULL,
    revision      INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    code          TEXT,
    detail        TEXT,
    duration      INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (organization, copy, id)
) WITHOUT ROWID;
INSERT INTO attempts_anew SELECT * FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_anew RENAME TO attempts;

CREATE TABLE copies_anew (
    organization    TEXT NOT NULL,
    id              BLOB NOT NULL,
    stream          BLOB,
    installation    BLOB,
    message         BLOB,
    event           BLOB,
    root            BLOB,
    log_id          TEXT,
    log_text        TEXT,
    target          TEXT NOT NULL,
    account         TEXT,
    address         TEXT,
    sequence        INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    pinned          INTEGER,
    shown           INTEGER,
    sending         INTEGER,
    is_open         BOOLEAN NOT NULL,
    removal         BOOLEAN NOT NULL DEFAULT FALSE,
    is_fallback     BOOLEAN NOT NULL DEFAULT FALSE,
    may_fold        BOOLEAN NOT NULL DEFAULT FALSE,
    folded_into     BLOB,
    fence           INTEGER NOT NULL DEFAULT 0,
    state           TEXT NOT NULL,
    code            TEXT,
    detail          TEXT,
    due_at          INTEGER,
    attempts        INTEGER NOT NULL DEFAULT 0,
    crashes         INTEGER NOT NULL DEFAULT 0,
    first_tried_at  INTEGER,
    parts           TEXT NOT NULL DEFAULT '[]',
    urgency         INTEGER NOT NULL DEFAULT 1,
    expires_at      INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, root) REFERENCES copies_anew (organization, id) ON DELETE CASCADE,
    CHECK ((message IS NULL) <> (event IS NULL))
);
INSERT INTO copies_anew SELECT * FROM copies;
DROP TABLE copies;
ALTER TABLE copies_anew RENAME TO copies;
CREATE INDEX copies_due ON copies (stream, due_at, sequence) WHERE due_at IS NOT NULL;
CREATE INDEX copies_message ON copies (organization, message) WHERE message IS NOT NULL;
CREATE INDEX copies_foldable ON copies (stream, due_at) WHERE may_fold AND due_at IS NOT NULL;
CREATE INDEX copies_folded ON copies (folded_into) WHERE is_open AND folded_into IS NOT NULL;
CREATE INDEX copies_event ON copies (organization, event) WHERE event IS NOT NULL;
CREATE INDEX copies_root ON copies (organization, root) WHERE root IS NOT NULL;
CREATE UNIQUE INDEX copies_log ON copies (root, log_id) WHERE root IS NOT NULL AND log_id IS NOT NULL;
CREATE INDEX copies_expiry ON copies (expires_at) WHERE is_open;
CREATE INDEX copies_dead ON copies (organization, updated_at) WHERE code IS NOT NULL;

CREATE TABLE events_anew (
    sequence      INTEGER PRIMARY KEY,
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL,
    kind          TEXT NOT NULL,
    body          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    UNIQUE (organization, id)
);
INSERT INTO events_anew SELECT * FROM events;
DROP TABLE events;
ALTER TABLE events_anew RENAME TO events;

CREATE TABLE messages_anew (
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL,
    key           TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    is_final      BOOLEAN NOT NULL,
    deleted       BOOLEAN NOT NULL DEFAULT FALSE,
    fingerprint   BLOB NOT NULL,
    body          TEXT NOT NULL,
    answer        TEXT NOT NULL,
    pinned        TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, key)
);
INSERT INTO messages_anew SELECT * FROM messages;
DROP TABLE messages;
ALTER TABLE messages_anew RENAME TO messages;

-- Before, so that what goes with them one by one finds nothing left.
CREATE TRIGGER organizations_gone BEFORE DELETE ON organizations BEGIN
    DELETE FROM messages WHERE organization = OLD.id;
    DELETE FROM events WHERE organization = OLD.id;
END;
CREATE TRIGGER installations_gone AFTER DELETE ON installations BEGIN
    DELETE FROM copies WHERE organization = OLD.organization AND installation = OLD.id;
END;
CREATE TRIGGER streams_gone AFTER DELETE ON streams BEGIN
    DELETE FROM copies WHERE organization = OLD.organization AND stream = OLD.id;
END;
CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN
    DELETE FROM copies WHERE organization = OLD.organization AND message = OLD.id;
END;
CREATE TRIGGER events_gone AFTER DELETE ON events BEGIN
    DELETE FROM copies WHERE organization = OLD.organization AND event = OLD.id;
END;
CREATE TRIGGER copies_gone AFTER DELETE ON copies BEGIN
    DELETE FROM attempts WHERE organization = OLD.organization AND copy = OLD.id;
END;
