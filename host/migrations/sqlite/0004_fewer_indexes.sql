-- Every index costs each message something. No query asks by installation and time of making,
-- or by the end of leases; and a dead letter is known by its code alone, so that taking a copy
-- to send it, which changes its state and no code, touches no index at all.
DROP INDEX copies_installation;
DROP INDEX streams_leased;
DROP INDEX copies_dead;
CREATE INDEX copies_dead ON copies (organization, updated_at) WHERE code IS NOT NULL;

