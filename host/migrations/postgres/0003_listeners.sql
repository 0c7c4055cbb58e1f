-- Who listens for an installation whose platform is asked rather than calls, and how far it has
-- listened. `leased_until`: `owner` listens, until then at most. `failing_since`, `problem`:
-- since when it can't, and why.
CREATE TABLE listeners (
    organization   TEXT NOT NULL,
    installation   UUID NOT NULL,
    cursor         TEXT,
    owner          UUID NOT NULL,
    leased_until   BIGINT NOT NULL,
    failing_since  BIGINT,
    problem        TEXT,
    PRIMARY KEY (organization, installation),
    FOREIGN KEY (organization, installation) REFERENCES installations (organization, id) ON DELETE CASCADE
);
