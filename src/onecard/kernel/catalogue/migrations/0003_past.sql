-- What said where a card may be used before it changed, for uses that are told late: a gate without a line hands them in days
-- after.

-- Until `until` this was so of `subject`: terminal:3, client:2, point:5, item:transit.bus_ride, or offer:5:transit.bus_ride.
-- The first row after a moment says what held then; no row: what holds now.
CREATE TABLE catalogue_past (
    subject text NOT NULL,
    until   timestamptz NOT NULL,
    was     jsonb NOT NULL,
    PRIMARY KEY (subject, until)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON catalogue_past FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON catalogue_past EXECUTE FUNCTION refuse_change();

-- Two changes of one transaction are one to everybody else: the first tells what was before both.
CREATE FUNCTION catalogue_keep_past() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    row_of jsonb := CASE TG_OP WHEN 'INSERT' THEN to_jsonb(NEW) ELSE to_jsonb(OLD) END;
    about text := CASE TG_TABLE_NAME
        WHEN 'catalogue_offer' THEN 'offer:' || (row_of ->> 'point_id') || ':' || (row_of ->> 'item_id')
        WHEN 'catalogue_item' THEN 'item:' || (row_of ->> 'code')
        ELSE replace(TG_TABLE_NAME, 'catalogue_', '') || ':' || (row_of ->> 'id') END;
    kept jsonb;
BEGIN
    SELECT coalesce(jsonb_object_agg(key, value), '{}') INTO kept
    FROM jsonb_each(row_of) WHERE key IN ('state', 'hours', 'media', 'sponsor_id', 'attended', 'capacity_count');
    IF TG_TABLE_NAME = 'catalogue_offer' THEN
        kept := kept || jsonb_build_object('offered', TG_OP <> 'INSERT');
        -- What was never offered before is looked at as if it had been: the gate had it in its pack, or refused.
        IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT FROM catalogue_past WHERE subject = about) THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO catalogue_past (subject, until, was) VALUES (about, now(), kept) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_past AFTER UPDATE OF state ON catalogue_client FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION catalogue_keep_past();
CREATE TRIGGER keep_past AFTER UPDATE OF state ON catalogue_item FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION catalogue_keep_past();
CREATE TRIGGER keep_past AFTER UPDATE OF state, attended ON catalogue_terminal FOR EACH ROW
    WHEN ((OLD.state, OLD.attended) IS DISTINCT FROM (NEW.state, NEW.attended)) EXECUTE FUNCTION catalogue_keep_past();
CREATE TRIGGER keep_past AFTER UPDATE OF state, hours, media, sponsor_id ON catalogue_point FOR EACH ROW
    WHEN ((OLD.state, OLD.hours, OLD.media, OLD.sponsor_id) IS DISTINCT FROM (NEW.state, NEW.hours, NEW.media, NEW.sponsor_id))
    EXECUTE FUNCTION catalogue_keep_past();
CREATE TRIGGER keep_past AFTER INSERT OR DELETE OR UPDATE OF capacity_count ON catalogue_offer FOR EACH ROW
    EXECUTE FUNCTION catalogue_keep_past();

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION catalogue_keep_past() SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION catalogue_keep_past() FROM PUBLIC;
