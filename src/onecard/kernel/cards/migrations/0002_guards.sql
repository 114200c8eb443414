-- Moves that exist. A move that is not a row here is refused by the triggers below, whoever asks.
INSERT INTO cards_move (from_state, to_state) VALUES
    ('allocated', 'inactive'),
    ('allocated', 'cancelled'),
    ('inactive', 'active'),
    ('inactive', 'temp_lost'),
    ('inactive', 'lost'),
    ('inactive', 'locked'),
    ('inactive', 'cancelled'),
    ('active', 'temp_lost'),
    ('active', 'lost'),
    ('active', 'locked'),
    ('active', 'cancelled'),
    ('temp_lost', 'inactive'),
    ('temp_lost', 'active'),
    ('temp_lost', 'lost'),
    ('temp_lost', 'locked'),
    ('temp_lost', 'cancelled_after_loss'),
    ('lost', 'cancelled_after_loss'),
    ('locked', 'cancelled');

INSERT INTO cards_function_move (from_state, to_state) VALUES
    ('inactive', 'active'),
    ('inactive', 'closed'),
    ('active', 'suspended'),
    ('active', 'closed'),
    ('suspended', 'active'),
    ('suspended', 'closed');

-- A letter and eight digits, drawn in order: number n is chr(65 + n / 10^8) and n % 10^8.
CREATE SEQUENCE cards_number_seq AS bigint MINVALUE 1 MAXVALUE 2599999999 NO CYCLE;

-- The table's owner may fill it with cards in any state (a demo city, a migration from an older system) after
-- SET onecard.loading = 'on'. No other role can, and no change of state is ever exempt. What the guards read is named with
-- its schema, so that no table of a session can stand in for it.
CREATE FUNCTION cards_guard_card() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE legal boolean; loading boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        loading := coalesce(current_setting('onecard.loading', true), '') = 'on'
                  AND pg_get_userbyid((SELECT relowner FROM pg_catalog.pg_class WHERE oid = TG_RELID)) = current_user;
        IF NEW.state NOT IN ('allocated', 'inactive') AND NOT loading THEN
            RAISE EXCEPTION 'CARD_MOVE: a card does not start as %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.cards_move WHERE from_state = $1 AND to_state = $2)', TG_TABLE_SCHEMA)
        INTO legal USING OLD.state, NEW.state;
    IF NOT legal OR (OLD.state = 'temp_lost' AND NEW.state IN ('inactive', 'active') AND NEW.state <> OLD.state_before_loss)
    THEN
        RAISE EXCEPTION 'CARD_MOVE: a card does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER cards_guard_insert BEFORE INSERT ON cards_card FOR EACH ROW EXECUTE FUNCTION cards_guard_card();
CREATE TRIGGER cards_guard_move BEFORE UPDATE ON cards_card FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION cards_guard_card();

CREATE FUNCTION cards_guard_function() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE legal boolean; loading boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        loading := coalesce(current_setting('onecard.loading', true), '') = 'on'
                  AND pg_get_userbyid((SELECT relowner FROM pg_catalog.pg_class WHERE oid = TG_RELID)) = current_user;
        IF NEW.state <> 'inactive' AND NOT loading THEN
            RAISE EXCEPTION 'FUNCTION_MOVE: a function does not start as %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.cards_function_move WHERE from_state = $1 AND to_state = $2)', TG_TABLE_SCHEMA)
        INTO legal USING OLD.state, NEW.state;
    IF NOT legal THEN
        RAISE EXCEPTION 'FUNCTION_MOVE: a function does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER cards_guard_insert BEFORE INSERT ON cards_function FOR EACH ROW EXECUTE FUNCTION cards_guard_function();
CREATE TRIGGER cards_guard_move BEFORE UPDATE ON cards_function FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION cards_guard_function();
