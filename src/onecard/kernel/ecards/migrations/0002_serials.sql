-- Serials index the day's status list, so they are dense and stay within 24 bits (docs: the code format).
CREATE SEQUENCE ecards_serial_seq AS integer MINVALUE 0 MAXVALUE 16777215 START 0 NO CYCLE;
-- The same of paper codes, which have a list of their own.
CREATE SEQUENCE ecards_paper_serial_seq AS integer MINVALUE 0 MAXVALUE 16777215 START 0 NO CYCLE;

-- Opens the e-card of an active card, anew or again under its old serial, and names it in the card's standing; its serial. One
-- that is open stays as it is. A function, so that residents' web can have one opened and can move no card to another e-card.
CREATE FUNCTION ecards_open(card bigint, at timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE opened integer;
BEGIN
    PERFORM FROM cards_card WHERE id = card AND state = 'active' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ECARD_OPEN: card % is not active', card USING ERRCODE = 'check_violation';
    END IF;
    UPDATE ecards_ecard SET signed_at = at, closed_at = NULL WHERE card_id = card AND closed_at IS NOT NULL
    RETURNING serial INTO opened;
    IF NOT FOUND THEN
        SELECT serial INTO opened FROM ecards_ecard WHERE card_id = card;
        IF NOT FOUND THEN
            INSERT INTO ecards_ecard (serial, card_id, signed_at) VALUES (nextval('ecards_serial_seq'), card, at)
            RETURNING serial INTO opened;
        END IF;
    END IF;
    UPDATE cards_standing SET ecard_serial = opened, updated_at = at
    WHERE card_id = card AND ecard_serial IS DISTINCT FROM opened;
    RETURN opened;
END $$;
REVOKE ALL ON FUNCTION ecards_open(bigint, timestamptz) FROM PUBLIC;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ecards_open(bigint, timestamptz) SET search_path = %I, pg_temp', current_schema());
END $$;
