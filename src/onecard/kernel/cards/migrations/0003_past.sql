-- What a card's standing was before it changed, for uses that are told late: a gate without a line hands them in days after.

-- Until `until` a card was in these states. The first row after a moment says what held then; no row: what holds now.
CREATE TABLE cards_past (
    card_id         bigint NOT NULL,
    until           timestamptz NOT NULL,
    card_state      text NOT NULL,
    social_security text NOT NULL,
    financial       text NOT NULL,
    transit         text NOT NULL,
    PRIMARY KEY (card_id, until)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON cards_past FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON cards_past EXECUTE FUNCTION refuse_change();

-- Two changes of one transaction are one to everybody else: the first tells what was before both.
CREATE FUNCTION cards_keep_past() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO cards_past (card_id, until, card_state, social_security, financial, transit)
    VALUES (OLD.card_id, now(), OLD.card_state, OLD.social_security, OLD.financial, OLD.transit)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- Of the columns alone: a use moves the chip's counter and never comes by here.
CREATE TRIGGER keep_past AFTER UPDATE OF card_state, social_security, financial, transit ON cards_standing FOR EACH ROW
    WHEN ((OLD.card_state, OLD.social_security, OLD.financial, OLD.transit)
          IS DISTINCT FROM (NEW.card_state, NEW.social_security, NEW.financial, NEW.transit))
    EXECUTE FUNCTION cards_keep_past();

-- The chip's counters that were seen, from the highest (`chip_counter`, the leftmost bit) down: a reading that is told late has
-- a lower one, and is a second one only if just that counter was seen before.
ALTER TABLE cards_standing ADD COLUMN chip_seen bit(256) NOT NULL DEFAULT (1::bit(256) << 255);

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION cards_keep_past() SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION cards_keep_past() FROM PUBLIC;
