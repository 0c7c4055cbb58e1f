-- Every row belongs to an organization, and composite keys make the database itself refuse
-- a reference from one organization to another. Times are microseconds since 1970 UTC.

CREATE TABLE organizations (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    locale      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id            TEXT PRIMARY KEY,
    digest        BYTEA NOT NULL,
    name          TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    organization  TEXT REFERENCES organizations (id) ON DELETE CASCADE,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    last_used_at  BIGINT,
    revoked_at    BIGINT
);

CREATE TABLE installations (
    organization       TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id                 UUID NOT NULL UNIQUE,
    backend            TEXT NOT NULL,
    slot               TEXT NOT NULL UNIQUE,
    state              TEXT NOT NULL,
    settings           JSONB NOT NULL,
    settings_version   INTEGER NOT NULL,
    stage              TEXT NOT NULL,
    notes              JSONB NOT NULL,
    steps              JSONB NOT NULL,
    window_until       BIGINT,
    identity           JSONB,
    problem            JSONB,
    health             JSONB,
    held_until         BIGINT NOT NULL DEFAULT 0,
    last_delivered_at  BIGINT,
    last_heard_at      BIGINT,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    removed_at         BIGINT,
    PRIMARY KEY (organization, id)
);

-- One polymorphic table for verification codes, install secrets, webhook secrets and
-- platform credentials, typed by backend and kind. What is only compared is a digest; what
-- must be used again is sealed.
CREATE TABLE tokens (
    organization  TEXT NOT NULL,
    id            UUID NOT NULL UNIQUE,
    installation  UUID NOT NULL,
    backend       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    label         TEXT NOT NULL DEFAULT '',
    subject       TEXT NOT NULL DEFAULT '',
    digest        BYTEA,
    sealed        TEXT,
    key_id        TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    used_at       BIGINT,
    revoked_at    BIGINT,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE,
    CHECK ((digest IS NULL) <> (sealed IS NULL))
);
CREATE UNIQUE INDEX tokens_digest ON tokens (installation, kind, digest) WHERE digest IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX tokens_usable ON tokens (installation, kind) WHERE revoked_at IS NULL AND used_at IS NULL;

-- Attempts to enter a code, charged to the guesser and counted before anything is compared.
CREATE TABLE guesses (
    organization  TEXT NOT NULL,
    installation  UUID NOT NULL,
    guesser       TEXT NOT NULL,
    period        BIGINT NOT NULL,
    count         BIGINT NOT NULL,
    PRIMARY KEY (installation, guesser, period),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);

CREATE TABLE account_links (
    organization  TEXT NOT NULL,
    id            UUID NOT NULL UNIQUE,
    installation  UUID NOT NULL,
    user_id       TEXT NOT NULL,
    account       TEXT NOT NULL,
    username      TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    direct        JSONB,
    linked_at     BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    unlinked_at   BIGINT,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX account_links_user ON account_links (installation, user_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX account_links_account ON account_links (installation, account) WHERE unlinked_at IS NULL;
CREATE INDEX account_links_updated ON account_links (organization, updated_at, id);

CREATE TABLE channels (
    organization  TEXT NOT NULL,
    id            UUID NOT NULL UNIQUE,
    installation  UUID NOT NULL,
    conversation  TEXT NOT NULL,
    address       JSONB NOT NULL,
    name          TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    team          TEXT NOT NULL,
    status        TEXT NOT NULL,
    is_default    BOOLEAN NOT NULL DEFAULT FALSE,
    storm_guard   BOOLEAN NOT NULL DEFAULT FALSE,
    linked_at     BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    removed_at    BIGINT,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX channels_conversation ON channels (installation, conversation) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX channels_default ON channels (installation) WHERE is_default AND removed_at IS NULL;
CREATE INDEX channels_updated ON channels (organization, updated_at, id);

CREATE TABLE messages (
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id            UUID NOT NULL,
    key           TEXT NOT NULL,
    revision      BIGINT NOT NULL,
    is_final      BOOLEAN NOT NULL,
    deleted       BOOLEAN NOT NULL DEFAULT FALSE,
    fingerprint   BYTEA NOT NULL,
    body          TEXT NOT NULL,
    answer        TEXT NOT NULL,
    pinned        TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, key)
);

CREATE TABLE subscriptions (
    name        TEXT PRIMARY KEY,
    url         TEXT NOT NULL,
    kinds       TEXT NOT NULL,
    secrets     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

-- A stream is what is paced and ordered together: one conversation of an installation, or
-- the events of an organization for one subscription. Workers lease streams.
CREATE TABLE streams (
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id            UUID NOT NULL UNIQUE,
    installation  UUID,
    subscription  TEXT REFERENCES subscriptions (name) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    rate          TEXT NOT NULL,
    urgency       SMALLINT NOT NULL DEFAULT 1,
    owner         UUID,
    fence         BIGINT NOT NULL DEFAULT 0,
    lease_until   BIGINT NOT NULL DEFAULT 0,
    due_at        BIGINT,
    held_until    BIGINT NOT NULL DEFAULT 0,
    sequence      BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE,
    CHECK ((installation IS NULL) <> (subscription IS NULL))
);
CREATE UNIQUE INDEX streams_conversation ON streams (installation, key) WHERE installation IS NOT NULL;
CREATE UNIQUE INDEX streams_subscription ON streams (organization, subscription) WHERE subscription IS NOT NULL;
CREATE INDEX streams_due ON streams (organization, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX streams_leased ON streams (lease_until) WHERE owner IS NOT NULL;

CREATE TABLE events (
    sequence      BIGINT PRIMARY KEY,
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id            UUID NOT NULL,
    kind          TEXT NOT NULL,
    body          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE (organization, id)
);

-- A copy is one message (or log line, or event) at one address. `revision` is what it
-- should show, `shown` what it shows, `sending` what is on its way or may have arrived,
-- taken under the lease with this `fence`.
-- `pinned` is a final revision that must be shown before a newer one that isn't final; the
-- message keeps its body.
CREATE TABLE copies (
    organization    TEXT NOT NULL,
    id              UUID NOT NULL,
    stream          UUID,
    installation    UUID,
    message         UUID,
    event           UUID,
    root            UUID,
    log_id          TEXT,
    log_text        TEXT,
    target          TEXT NOT NULL,
    account         TEXT,
    address         TEXT,
    sequence        BIGINT NOT NULL,
    revision        BIGINT NOT NULL,
    pinned          BIGINT,
    shown           BIGINT,
    sending         BIGINT,
    is_open         BOOLEAN NOT NULL,
    removal         BOOLEAN NOT NULL DEFAULT FALSE,
    is_fallback     BOOLEAN NOT NULL DEFAULT FALSE,
    may_fold        BOOLEAN NOT NULL DEFAULT FALSE,
    folded_into     UUID,
    fence           BIGINT NOT NULL DEFAULT 0,
    state           TEXT NOT NULL,
    code            TEXT,
    detail          TEXT,
    due_at          BIGINT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    crashes         INTEGER NOT NULL DEFAULT 0,
    first_tried_at  BIGINT,
    parts           TEXT NOT NULL DEFAULT '[]',
    urgency         SMALLINT NOT NULL DEFAULT 1,
    expires_at      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
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
    id            UUID NOT NULL,
    copy          UUID NOT NULL,
    revision      BIGINT NOT NULL,
    outcome       TEXT NOT NULL,
    code          TEXT,
    detail        TEXT,
    duration      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (organization, copy, id),
    FOREIGN KEY (organization, copy) REFERENCES copies (organization, id) ON DELETE CASCADE
);

-- How many copy-revisions ended how. Accepted = all the others + those still open.
CREATE TABLE tallies (
    organization  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    outcome       TEXT NOT NULL,
    total         BIGINT NOT NULL,
    PRIMARY KEY (organization, outcome)
);

CREATE TABLE happenings (
    organization  TEXT NOT NULL,
    installation  UUID NOT NULL,
    id            TEXT NOT NULL,
    fingerprint   BYTEA NOT NULL,
    outcome       JSONB,
    received_at   BIGINT NOT NULL,
    PRIMARY KEY (installation, id),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE INDEX happenings_received ON happenings (received_at);

-- Who did what. It outlives the organization that it speaks of.
CREATE TABLE audit (
    id            UUID PRIMARY KEY,
    organization  TEXT,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    object        TEXT NOT NULL,
    result        TEXT NOT NULL,
    request_id    TEXT,
    at            BIGINT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

-- One row: facts about this database, such as the fingerprint of the key that seals it.
CREATE TABLE facts (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
);

-- Replicas keep in memory what hardly ever changes. Whatever changes it, and by whatever way,
-- is told to all of them at the commit: `changed` and the organization, `*` for all. Columns
-- that aren't kept are left out, so that the engine's own writes tell nothing.
CREATE FUNCTION chatport_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_NARGS > 0 THEN
        PERFORM pg_notify('chatport', 'changed *');
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('chatport', 'changed ' || OLD.organization);
    ELSE
        PERFORM pg_notify('chatport', 'changed ' || NEW.organization);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER organizations_changed AFTER DELETE ON organizations
    FOR EACH ROW EXECUTE FUNCTION chatport_changed('*');
CREATE TRIGGER api_keys_changed AFTER DELETE OR UPDATE OF id, digest, scopes, organization, expires_at, revoked_at
    ON api_keys FOR EACH ROW EXECUTE FUNCTION chatport_changed('*');
CREATE TRIGGER subscriptions_changed AFTER INSERT OR DELETE OR UPDATE
    ON subscriptions FOR EACH ROW EXECUTE FUNCTION chatport_changed('*');
CREATE TRIGGER installations_changed AFTER INSERT OR DELETE OR UPDATE OF organization, id, backend, slot, state,
    settings, settings_version, stage, notes, steps, window_until, identity, problem, updated_at, removed_at
    ON installations FOR EACH ROW EXECUTE FUNCTION chatport_changed();
CREATE TRIGGER account_links_changed AFTER INSERT OR DELETE OR UPDATE
    ON account_links FOR EACH ROW EXECUTE FUNCTION chatport_changed();
CREATE TRIGGER channels_changed AFTER INSERT OR DELETE OR UPDATE
    ON channels FOR EACH ROW EXECUTE FUNCTION chatport_changed();
-- Verification codes are tokens too, but are always looked up.
CREATE TRIGGER tokens_changed AFTER INSERT OR UPDATE ON tokens
    FOR EACH ROW WHEN (NEW.kind NOT LIKE 'code.%') EXECUTE FUNCTION chatport_changed();
CREATE TRIGGER tokens_deleted AFTER DELETE ON tokens
    FOR EACH ROW WHEN (OLD.kind NOT LIKE 'code.%') EXECUTE FUNCTION chatport_changed();
