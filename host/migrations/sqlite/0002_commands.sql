-- What an application declared that people can type, for each installation, and how far the
-- platform has been told. `due_at` says when it is to be told; NULL: it has been.
-- `leased_until`: one replica tells it, until then at most.
CREATE TABLE command_sets (
    organization  TEXT NOT NULL,
    installation  BLOB NOT NULL,
    commands      TEXT NOT NULL,
    hash          BLOB NOT NULL,
    due_at        INTEGER,
    leased_until  INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    missing       TEXT NOT NULL,
    problem       TEXT,
    synced_at     INTEGER,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (organization, installation),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
CREATE INDEX command_sets_due ON command_sets (due_at) WHERE due_at IS NOT NULL;
