-- The life of a version: draft → review → published → ended, and review → draft. A draft may be written anew; in review
-- nothing moves but the stage and who decided; a published version is what was decided, and only its end may be brought
-- forward. Versions that were ever published never overlap. A version is written down as a draft: only the owner of the
-- tables puts in another. Who loaded or submitted a version does not publish it; only the owner does, when a node is set up.
CREATE FUNCTION catalogue_guard_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[];
    owns boolean := current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'APPEND_ONLY: a version of an item is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.stage <> 'draft' AND NOT owns THEN
        RAISE EXCEPTION 'STAGE_SKIPPED: a version begins as a draft' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.item_id, NEW.version) IS DISTINCT FROM (OLD.id, OLD.item_id, OLD.version) THEN
            RAISE EXCEPTION 'APPEND_ONLY: a version keeps its item and number' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.stage <> OLD.stage AND (OLD.stage, NEW.stage) NOT IN
           (('draft', 'review'), ('review', 'draft'), ('review', 'published'), ('published', 'ended')) THEN
            RAISE EXCEPTION 'STAGE_SKIPPED: % to %', OLD.stage, NEW.stage USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        movable := CASE OLD.stage
            WHEN 'review' THEN ARRAY['stage', 'submitted_by', 'decided_by_zh', 'decided_by_en', 'decided_on',
                                     'published_by', 'published_at']
            WHEN 'published' THEN ARRAY['stage', 'ends_on']
            WHEN 'ended' THEN ARRAY[]::text[]
        END;
        IF OLD.stage <> 'draft' AND to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
            RAISE EXCEPTION 'APPEND_ONLY: a version that is % does not change', OLD.stage
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF OLD.stage = 'published' AND NEW.ends_on IS DISTINCT FROM OLD.ends_on
           AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on) THEN
            RAISE EXCEPTION 'APPEND_ONLY: the end of a published version is only brought forward'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF OLD.stage = 'review' AND NEW.stage = 'published'
           AND (NEW.published_by = '' OR NEW.published_at IS NULL OR NEW.decided_by_zh = '' OR NEW.decided_on IS NULL) THEN
            RAISE EXCEPTION 'UNDECIDED: a version is published by somebody, after a body decided it on a day'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF OLD.stage = 'review' AND NEW.stage = 'published' AND NEW.published_by IN (NEW.loaded_by, NEW.submitted_by)
           AND NOT (owns AND starts_with(NEW.published_by, 'system:')) THEN
            RAISE EXCEPTION 'MAKER_IS_CHECKER: who loaded or submitted a version does not publish it'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    -- From publication on days are only given up, so that the days are looked at once: when they are taken.
    IF NEW.stage IN ('published', 'ended') AND (TG_OP = 'INSERT' OR OLD.stage NOT IN ('published', 'ended')) THEN
        PERFORM FROM catalogue_item WHERE code = NEW.item_id FOR NO KEY UPDATE;
        IF EXISTS (SELECT FROM catalogue_item_version v
                   WHERE v.item_id = NEW.item_id AND v.id <> NEW.id AND v.stage IN ('published', 'ended')
                     AND daterange(v.starts_on, v.ends_on) && daterange(NEW.starts_on, NEW.ends_on)) THEN
            RAISE EXCEPTION 'VERSIONS_OVERLAP: %', NEW.item_id USING ERRCODE = 'exclusion_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_version BEFORE INSERT OR UPDATE OR DELETE ON catalogue_item_version
    FOR EACH ROW EXECUTE FUNCTION catalogue_guard_version();

-- Where an item stands does not move once a version of it was published, and it extends an item of a higher level only, so
-- that no item can extend itself by a way round.
CREATE FUNCTION catalogue_guard_item() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    levels text[] := ARRAY['region', 'province', 'city', 'county'];
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.code, NEW.field, NEW.level, NEW.area, NEW.extends_id)
                            IS DISTINCT FROM (OLD.code, OLD.field, OLD.level, OLD.area, OLD.extends_id)
       AND EXISTS (SELECT FROM catalogue_item_version v WHERE v.item_id = OLD.code AND v.stage IN ('published', 'ended')) THEN
        RAISE EXCEPTION 'APPEND_ONLY: an item that was published stays where it stands'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM catalogue_item upper WHERE upper.code = NEW.extends_id
               AND array_position(levels, upper.level) >= array_position(levels, NEW.level))
       OR EXISTS (SELECT FROM catalogue_item lower WHERE lower.extends_id = NEW.code
                  AND array_position(levels, lower.level) <= array_position(levels, NEW.level)) THEN
        RAISE EXCEPTION 'LEVELS_UPSIDE_DOWN: %', NEW.code USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_item BEFORE INSERT OR UPDATE ON catalogue_item
    FOR EACH ROW EXECUTE FUNCTION catalogue_guard_item();

-- The revision of all that says where a card may be used: terminals and their keys, points, clients, items, versions,
-- offers, sets of places. It changes in the transaction that changes any of them, so whoever reads the same revision in a snapshot may go on
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
    FOREACH watched IN ARRAY ARRAY['catalogue_area_set', 'catalogue_client', 'catalogue_item', 'catalogue_item_version', 'catalogue_offer',
                                   'catalogue_point', 'catalogue_terminal', 'catalogue_terminal_key'] LOOP
        EXECUTE format('CREATE TRIGGER revise AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION catalogue_revise()', watched);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION catalogue_revise() FROM PUBLIC;
