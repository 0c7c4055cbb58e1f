-- Every row belongs to an organization, and composite keys make the database itself refuse
-- a reference from one organization to another. Times are microseconds since 1970 UTC.

CREATE TABLE organizations (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    locale      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);

CREATE TABLE api_keys (
    id            TEXT PRIMARY KEY,
    digest        BLOB NOT NULL,
    name          TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    organization  TEXT REFERENCES organizations (id) ON DELETE CASCADE,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    last_used_at  INTEGER,
    revoked_at    INTEGER
);

CREATE TABLE installations (
    organization       TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id                 BLOB NOT NULL UNIQUE,
    backend            TEXT NOT NULL,
    slot               TEXT NOT NULL UNIQUE,
    state              TEXT NOT NULL,
    settings           TEXT NOT NULL,
    settings_version   INTEGER NOT NULL,
    stage              TEXT NOT NULL,
    notes              TEXT NOT NULL,
    steps              TEXT NOT NULL,
    window_until       INTEGER,
    identity           TEXT,
    problem            TEXT,
    health             TEXT,
    held_until         INTEGER NOT NULL DEFAULT 0,
    last_delivered_at  INTEGER,
    last_heard_at      INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    removed_at         INTEGER,
    PRIMARY KEY (organization, id)
);

-- One polymorphic table for verification codes, install secrets, webhook secrets and
-- platform credentials, typed by backend and kind. What is only compared is a digest; what
-- must be used again is sealed.
CREATE TABLE tokens (
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL UNIQUE,
    installation  BLOB NOT NULL,
    backend       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    label         TEXT NOT NULL DEFAULT '',
    subject       TEXT NOT NULL DEFAULT '',
    digest        BLOB,
    sealed        TEXT,
    key_id        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    used_at       INTEGER,
    revoked_at    INTEGER,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE,
    CHECK ((digest IS NULL) <> (sealed IS NULL))
);
CREATE UNIQUE INDEX tokens_digest ON tokens (installation, kind, digest) WHERE digest IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX tokens_usable ON tokens (installation, kind) WHERE revoked_at IS NULL AND used_at IS NULL;

-- Attempts to enter a code, charged to the guesser and counted before anything is compared.
CREATE TABLE guesses (
    organization  TEXT NOT NULL,
    installation  BLOB NOT NULL,
    guesser       TEXT NOT NULL,
    period        INTEGER NOT NULL,
    count         INTEGER NOT NULL,
    PRIMARY KEY (installation, guesser, period),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);

CREATE TABLE account_links (
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL UNIQUE,
    installation  BLOB NOT NULL,
    user_id       TEXT NOT NULL,
    account       TEXT NOT NULL,
    username      TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    direct        TEXT,
    linked_at     INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    unlinked_at   INTEGER,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX account_links_user ON account_links (installation, user_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX account_links_account ON account_links (installation, account) WHERE unlinked_at IS NULL;
CREATE INDEX account_links_updated ON account_links (organization, updated_at, id);

CREATE TABLE channels (
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL UNIQUE,
    installation  BLOB NOT NULL,
    conversation  TEXT NOT NULL,
    address       TEXT NOT NULL,
    name          TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    team          TEXT NOT NULL,
    status        TEXT NOT NULL,
    is_default    BOOLEAN NOT NULL DEFAULT FALSE,
    storm_guard   BOOLEAN NOT NULL DEFAULT FALSE,
    linked_at     INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    removed_at    INTEGER,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX channels_conversation ON channels (installation, conversation) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX channels_default ON channels (installation) WHERE is_default AND removed_at IS NULL;
CREATE INDEX channels_updated ON channels (organization, updated_at, id);

CREATE TABLE messages (
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
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

CREATE TABLE subscriptions (
    name        TEXT PRIMARY KEY,
    url         TEXT NOT NULL,
    kinds       TEXT NOT NULL,
    secrets     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);

-- A stream is what is paced and ordered together: one conversation of an installation, or
-- the events of an organization for one subscription. Workers lease streams.
CREATE TABLE streams (
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id            BLOB NOT NULL UNIQUE,
    installation  BLOB,
    subscription  TEXT REFERENCES subscriptions (name) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    rate          TEXT NOT NULL,
    urgency       INTEGER NOT NULL DEFAULT 1,
    owner         BLOB,
    fence         INTEGER NOT NULL DEFAULT 0,
    lease_until   INTEGER NOT NULL DEFAULT 0,
    due_at        INTEGER,
    held_until    INTEGER NOT NULL DEFAULT 0,
    sequence      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE,
    CHECK ((installation IS NULL) <> (subscription IS NULL))
);
CREATE UNIQUE INDEX streams_conversation ON streams (installation, key) WHERE installation IS NOT NULL;
CREATE UNIQUE INDEX streams_subscription ON streams (organization, subscription) WHERE subscription IS NOT NULL;
CREATE INDEX streams_due ON streams (organization, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX streams_leased ON streams (lease_until) WHERE owner IS NOT NULL;

CREATE TABLE events (
    sequence      INTEGER PRIMARY KEY,
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id            BLOB NOT NULL,
    kind          TEXT NOT NULL,
    body          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    UNIQUE (organization, id)
);

-- A copy is one message (or log line, or event) at one address. `revision` is what it
-- should show, `shown` what it shows, `sending` what is on its way or may have arrived,
-- taken under the lease with this `fence`.
-- `pinned` is a final revision that must be shown before a newer one that isn't final; the
-- message keeps its body.
CREATE TABLE copies (
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
    FOREIGN KEY (organization, stream) REFERENCES streams (organization, id) ON DELETE CASCADE,
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE,
    FOREIGN KEY (organization, message) REFERENCES messages (organization, id) ON DELETE CASCADE,
    FOREIGN KEY (organization, event) REFERENCES events (organization, id) ON DELETE CASCADE,
    FOREIGN KEY (organization, root) REFERENCES copies (organization, id) ON DELETE CASCADE,
    CHECK ((message IS NULL) <> (event IS NULL))
);
CREATE INDEX copies_due ON copies (stream, due_at, sequence) WHERE due_at IS NOT NULL;
CREATE INDEX copies_message ON copies (organization, message) WHERE message IS NOT NULL;
CREATE INDEX copies_foldable ON copies (stream, due_at) WHERE may_fold AND due_at IS NOT NULL;
CREATE INDEX copies_folded ON copies (folded_into) WHERE is_open AND folded_into IS NOT NULL;
CREATE INDEX copies_event ON copies (organization, event) WHERE event IS NOT NULL;
CREATE INDEX copies_root ON copies (organization, root) WHERE root IS NOT NULL;
CREATE INDEX copies_installation ON copies (installation, created_at) WHERE message IS NOT NULL;
CREATE UNIQUE INDEX copies_log ON copies (root, log_id) WHERE root IS NOT NULL AND log_id IS NOT NULL;
CREATE INDEX copies_expiry ON copies (expires_at) WHERE is_open;
CREATE INDEX copies_dead ON copies (organization, updated_at) WHERE state IN ('dead', 'expired');

CREATE TABLE attempts (
    organization  TEXT NOT NULL,
    id            BLOB NOT NULL,
    copy          BLOB NOT NULL,
    revision      INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    code          TEXT,
    detail        TEXT,
    duration      INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    PRIMARY KEY (organization, copy, id),
    FOREIGN KEY (organization, copy) REFERENCES copies (organization, id) ON DELETE CASCADE
);

-- How many copy-revisions ended how. Accepted = all the others + those still open.
CREATE TABLE tallies (
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    outcome       TEXT NOT NULL,
    total         INTEGER NOT NULL,
    PRIMARY KEY (organization, outcome)
);

CREATE TABLE happenings (
    organization  TEXT NOT NULL,
    installation  BLOB NOT NULL,
    id            TEXT NOT NULL,
    fingerprint   BLOB NOT NULL,
    outcome       TEXT,
    received_at   INTEGER NOT NULL,
    PRIMARY KEY (installation, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE INDEX happenings_received ON happenings (received_at);

-- Who did what. It outlives the organization that it speaks of.
CREATE TABLE audit (
    id            BLOB PRIMARY KEY,
    organization  TEXT,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    object        TEXT NOT NULL,
    result        TEXT NOT NULL,
    request_id    TEXT,
    at            INTEGER NOT NULL
);
CREATE INDEX audit_at ON audit (at);

-- One row: facts about this database, such as the fingerprint of the key that seals it.
CREATE TABLE facts (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
);
