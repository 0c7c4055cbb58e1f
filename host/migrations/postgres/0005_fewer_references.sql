-- Checking references of the rows that each message writes costs a tenth of the database's work.
-- Those rows are written by the engine alone, under locks: of the streams that they go to, or of
-- their organization. What is left to do is what references did besides: rows go with what they
-- belong to. A reply refers to its root; other copies refer to nothing.
ALTER TABLE attempts DROP CONSTRAINT attempts_organization_copy_fkey;
ALTER TABLE copies
    DROP CONSTRAINT copies_organization_stream_fkey,
    DROP CONSTRAINT copies_organization_installation_fkey,
    DROP CONSTRAINT copies_organization_message_fkey,
    DROP CONSTRAINT copies_organization_event_fkey;
ALTER TABLE events DROP CONSTRAINT events_organization_fkey;
ALTER TABLE messages DROP CONSTRAINT messages_organization_fkey;

-- Deletes the rows of a table, the first argument, that belong to those which are gone: they have
-- the column of the second argument, and the id of what is gone is in that of the third. Planned
-- at each call, since nothing or everything may be gone; not as the engine plans its few rows.
CREATE FUNCTION chatport_gone() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = on SET enable_hashjoin = on SET enable_bitmapscan = on AS $$
BEGIN
    IF TG_TABLE_NAME = 'organizations' THEN
        EXECUTE format('DELETE FROM %I t USING gone WHERE t.organization = gone.id', TG_ARGV[0]);
    ELSE
        EXECUTE format('DELETE FROM %I t USING gone WHERE t.organization = gone.organization AND t.%I = gone.id',
            TG_ARGV[0], TG_ARGV[1]);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER organizations_gone_messages AFTER DELETE ON organizations REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('messages');
CREATE TRIGGER organizations_gone_events AFTER DELETE ON organizations REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('events');
CREATE TRIGGER installations_gone AFTER DELETE ON installations REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('copies', 'installation');
CREATE TRIGGER streams_gone AFTER DELETE ON streams REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('copies', 'stream');
CREATE TRIGGER messages_gone AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('copies', 'message');
CREATE TRIGGER events_gone AFTER DELETE ON events REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('copies', 'event');
CREATE TRIGGER copies_gone AFTER DELETE ON copies REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION chatport_gone('attempts', 'copy');
