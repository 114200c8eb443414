-- Orders to the bank: what a use wants to take from the account linked with its card, and what a refund gives back.
-- An order is written before the bank is asked, so that whatever is killed, somebody knows what to capture or let go.

-- Steps that exist; any other is refused by the trigger below, whoever asks.
--   asked      written; the bank is being asked         approved   it holds the amount, no use stands on it yet
--   refused    it does not pay; the end                 held       a use stands on it; to be captured
--   captured   paid; the end                            releasing  no use will stand on it: let it go, again and again
--   released   the bank confirmed that nothing is held; the end
--   due        a refund to be asked for                 refunded   given back; the end
CREATE TABLE uses_bank_step (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO uses_bank_step (from_state, to_state) VALUES
    ('asked', 'approved'),
    ('asked', 'refused'),
    ('asked', 'releasing'),
    ('approved', 'held'),
    ('approved', 'releasing'),
    ('held', 'captured'),
    ('releasing', 'released'),
    ('due', 'refunded');

CREATE TABLE uses_bank_order (
    id          uuid PRIMARY KEY,                   -- by which the bank knows the hold, or the refund
    kind        text NOT NULL CHECK (kind IN ('payment', 'refund')),
    payment_id  uuid REFERENCES uses_bank_order,    -- of a refund: what it gives back
    terminal_id bigint NOT NULL,
    journal     uuid NOT NULL,
    sequence    bigint NOT NULL,
    content     bytea NOT NULL,                     -- as in uses_journal_key: the line's, or the refund's
    card_id     bigint NOT NULL,
    bank_id     bigint NOT NULL,
    token       text NOT NULL,                      -- the account, as the bank calls it
    item        text NOT NULL,
    amount_fen  bigint NOT NULL CHECK (amount_fen > 0),
    state       text NOT NULL,
    use_id      uuid,                               -- the use that stands on it; of a refund, the use given back
    asked_at    timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    tries       int NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL,               -- when the job looks at it, unless it is at its end
    last_error  text,                               -- the return code of a refusal, or why the last try failed
    alarmed_at  timestamptz,
    -- A repeated line finds its order instead of asking again.
    UNIQUE (terminal_id, journal, sequence),
    UNIQUE (use_id, kind),
    CHECK ((kind = 'refund') = (payment_id IS NOT NULL)),
    CHECK ((kind = 'refund') = (state IN ('due', 'refunded'))),
    CHECK ((use_id IS NOT NULL) = (kind = 'refund' OR state IN ('held', 'captured')))
) WITH (fillfactor = 70);                           -- room for the new version on the same page
CREATE INDEX uses_bank_order_due ON uses_bank_order (next_try_at)
    WHERE state IN ('asked', 'approved', 'held', 'releasing', 'due');

-- What the guard reads is named with its schema, so that no table of a session can stand in for it.
CREATE FUNCTION uses_guard_bank_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE legal boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> (CASE NEW.kind WHEN 'payment' THEN 'asked' ELSE 'due' END) THEN
            RAISE EXCEPTION 'BANK_STEP: an order does not start as %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.kind, NEW.payment_id, NEW.terminal_id, NEW.journal, NEW.sequence, NEW.content, NEW.card_id, NEW.bank_id,
        NEW.token, NEW.item, NEW.amount_fen, NEW.asked_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.payment_id, OLD.terminal_id, OLD.journal, OLD.sequence, OLD.content, OLD.card_id, OLD.bank_id,
        OLD.token, OLD.item, OLD.amount_fen, OLD.asked_at) OR (OLD.use_id IS NOT NULL AND NEW.use_id IS DISTINCT FROM OLD.use_id)
    THEN
        RAISE EXCEPTION 'BANK_STEP: what an order is about does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.uses_bank_step WHERE from_state = $1 AND to_state = $2)', TG_TABLE_SCHEMA)
            INTO legal USING OLD.state, NEW.state;
        IF NOT legal THEN
            RAISE EXCEPTION 'BANK_STEP: an order does not go from % to %', OLD.state, NEW.state
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER uses_guard_bank_order BEFORE INSERT OR UPDATE ON uses_bank_order
    FOR EACH ROW EXECUTE FUNCTION uses_guard_bank_order();
CREATE TRIGGER refuse_delete BEFORE DELETE ON uses_bank_order FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_bank_order EXECUTE FUNCTION refuse_change();
