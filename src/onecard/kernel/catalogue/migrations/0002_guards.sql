-- A stored version is what was decided: only its end may still be set. Versions of an item never overlap.
CREATE FUNCTION catalogue_guard_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'APPEND_ONLY: a version of an item is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.item_id, NEW.version, NEW.starts_on, NEW.declaration, NEW.digest)
                            IS DISTINCT FROM (OLD.item_id, OLD.version, OLD.starts_on, OLD.declaration, OLD.digest) THEN
        RAISE EXCEPTION 'APPEND_ONLY: only the end of a version may be set' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM FROM catalogue_item WHERE code = NEW.item_id FOR UPDATE;
    IF EXISTS (SELECT FROM catalogue_item_version v WHERE v.item_id = NEW.item_id AND v.id <> NEW.id
               AND daterange(v.starts_on, v.ends_on) && daterange(NEW.starts_on, NEW.ends_on)) THEN
        RAISE EXCEPTION 'VERSIONS_OVERLAP: %', NEW.item_id USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_version BEFORE INSERT OR UPDATE OR DELETE ON catalogue_item_version
    FOR EACH ROW EXECUTE FUNCTION catalogue_guard_version();

-- The revision of all that says where a card may be used: terminals and their keys, points, clients, items, versions,
-- offers. It changes in the transaction that changes any of them, so whoever reads the same revision in a snapshot may go on
-- with what it remembers. One row; whoever changes the catalogue waits here for whoever is changing it.
CREATE TABLE catalogue_revision (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL
);
INSERT INTO catalogue_revision (number) VALUES (1);
CREATE FUNCTION catalogue_revise() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE catalogue_revision SET number = number + 1;
    RETURN NULL;
END $$;
DO $$
DECLARE watched text;
BEGIN
    EXECUTE format('ALTER FUNCTION catalogue_revise() SET search_path = %I, pg_temp', current_schema());
    FOREACH watched IN ARRAY ARRAY['catalogue_client', 'catalogue_item', 'catalogue_item_version', 'catalogue_offer',
                                   'catalogue_point', 'catalogue_terminal', 'catalogue_terminal_key'] LOOP
        EXECUTE format('CREATE TRIGGER revise AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION catalogue_revise()', watched);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION catalogue_revise() FROM PUBLIC;
