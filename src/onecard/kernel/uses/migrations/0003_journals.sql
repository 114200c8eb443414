-- What gates decided without a line. A line of a journal is a use like any other; beside it stands what only the gate and the
-- platform's judgement of it can say.

-- A journal as far as it was taken: `chain` is the mac of the line `through`, the last up to which every line of the journal
-- came, each naming the one before it. What was recorded beyond a gap waits for the gate to go back to it.
CREATE TABLE uses_journal (
    terminal_id  bigint NOT NULL,
    journal      uuid NOT NULL,
    through      bigint NOT NULL DEFAULT -1 CHECK (through >= -1),
    chain        text NOT NULL,                     -- at first the journal's id: what its first line names
    uploads      bigint NOT NULL DEFAULT 0,
    rejected     bigint NOT NULL DEFAULT 0,         -- lines that were not taken, each time they came
    correction_s bigint NOT NULL DEFAULT 0,         -- how far the terminal's clock was behind at the latest upload
    uploaded_at  timestamptz NOT NULL DEFAULT now(),
    broken_after bigint,                            -- the first line after which one is missing or was altered
    broken_at    timestamptz,                       -- when that was found
    PRIMARY KEY (terminal_id, journal),
    CHECK ((broken_after IS NULL) = (broken_at IS NULL))
);
CREATE INDEX uses_journal_broken ON uses_journal (broken_at) WHERE broken_at IS NOT NULL;
CREATE TRIGGER refuse_delete BEFORE DELETE ON uses_journal FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_journal EXECUTE FUNCTION refuse_change();

-- One line of a journal. What the gate admitted stands as the use says; `verdict` is what the platform would have said, by the
-- facts of that moment. What it would have charged and could not, `borne_by` says who bore.
CREATE TABLE uses_offline_line (
    use_id        uuid NOT NULL,
    terminal_id   bigint NOT NULL,
    journal       uuid NOT NULL,
    sequence      bigint NOT NULL,
    verdict       text NOT NULL,
    gate_verdict  text NOT NULL,                    -- a verdict, or why the gate must not decide (OFFLINE_…)
    manual        boolean NOT NULL,                 -- admitted by hand, whatever the gate's verdict
    at_gate       timestamptz NOT NULL,             -- by the gate's clock as it stood
    correction_s  bigint NOT NULL,                  -- what was added to it to get the use's moment
    gate_paid_fen bigint NOT NULL CHECK (gate_paid_fen >= 0),
    oldest_list_s bigint,                           -- how old the oldest list was that the gate decided by
    reason        text,
    double        boolean NOT NULL,                 -- the same code or reading of a card was used before
    shortfall_fen bigint NOT NULL CHECK (shortfall_fen >= 0),
    borne_by      text,
    -- What it came to where its use stands as refused: it was told online first, and the gate never got the answer.
    stood_full_fen   bigint CHECK (stood_full_fen >= 0),
    stood_paid_fen   bigint CHECK (stood_paid_fen >= 0),
    stood_waived_fen bigint CHECK (stood_waived_fen >= 0),
    stood_concession text,
    chain_state   text NOT NULL CHECK (chain_state IN ('linked', 'apart')),   -- apart: what stood before it had not come
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (use_id),
    CHECK ((shortfall_fen > 0) = (borne_by IS NOT NULL)),
    CHECK (stood_paid_fen + stood_waived_fen <= stood_full_fen)
) PARTITION BY RANGE (use_id);
CREATE TABLE uses_offline_line_default PARTITION OF uses_offline_line DEFAULT;
-- What somebody should look at: the gate and the platform differ, or a person decided.
CREATE INDEX uses_offline_line_differs ON uses_offline_line (terminal_id, use_id)
    WHERE gate_verdict <> verdict OR manual OR double OR shortfall_fen > 0;
-- The same by time, of all terminals: what officers page through and what their overview counts.
CREATE INDEX uses_offline_line_odd ON uses_offline_line (use_id) INCLUDE (terminal_id) WHERE gate_verdict <> verdict OR double;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON uses_offline_line FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_offline_line EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_offline_line_default EXECUTE FUNCTION refuse_change();

-- A journey that a gate let begin may have less held for it than it can cost. `borne_by` says who bears what its end finds
-- missing, `shortfall_fen` what that was.
ALTER TABLE uses_journey
    ADD COLUMN borne_by text,
    ADD COLUMN shortfall_fen bigint NOT NULL DEFAULT 0 CHECK (shortfall_fen >= 0),
    ADD CHECK (shortfall_fen = 0 OR ended_at IS NOT NULL AND borne_by IS NOT NULL);

-- The accounts of what holders owe, from which the next top-up is taken first. Opening one takes a right over all accounts, so
-- the gateway has this function instead.
CREATE FUNCTION uses_open_debts(holders bigint[]) RETURNS SETOF bigint LANGUAGE sql SECURITY DEFINER AS $$
    SELECT ledger_open(ARRAY(SELECT 'holder:' || h FROM unnest(holders) h), 'holder.debt', 'purse', false, NULL)
$$;

-- Gives back what a use moved, for a refund of it that is recorded: every transfer of the use in full, between the same accounts,
-- and once, since the ids lie beside the refund's own. So whoever may give uses back need not be able to move any other money. A
-- debt that was paid meanwhile and is given back now is the holder's money: it goes into the purse. All of it is made, or nothing
-- and the ledger's reasons come back.
CREATE FUNCTION uses_reverse(refund uuid) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    given uuid; purse bigint; debt bigint; owed bigint; refused text[];
    ids uuid[]; debits bigint[]; credits bigint[]; amounts bigint[];
BEGIN
    SELECT r.use_id INTO STRICT given FROM uses_refund r WHERE r.id = refund;
    SELECT s.purse_account_id, a.id INTO purse, debt
    FROM uses_use u JOIN cards_standing s ON s.card_id = u.card_id
    LEFT JOIN ledger_account a ON (a.owner, a.role, a.ledger) = ('holder:' || s.holder_id, 'holder.debt', 'purse')
    WHERE u.id = given;
    PERFORM ledger_lock(ARRAY[purse]);

    -- By their ids (kernel/uses/settle): those of the use, and those of the journey that it began and that ended by itself.
    SELECT array_agg(uuid7_beside(refund, t.n) ORDER BY t.n), array_agg(t.credit_account ORDER BY t.n),
           array_agg(t.debit_account ORDER BY t.n), array_agg(t.amount_fen ORDER BY t.n)
    INTO ids, debits, credits, amounts
    FROM (SELECT row_number() OVER (ORDER BY f.id)::int AS n, f.debit_account, f.credit_account, f.amount_fen::bigint AS amount_fen
          FROM unnest(ARRAY[1, 2, 5, 6, 8, 12, 16, 20]) w (beside) JOIN ledger_transfer f ON f.id = uuid7_beside(given, w.beside)
          WHERE f.reference = given AND f.code IN ('paid', 'concession', 'shortfall')) t;
    BEGIN
        IF ids IS NOT NULL THEN
            refused := uses_refused(ids, debits, credits, amounts, 'refund', given);
        END IF;
        IF refused IS NULL AND debt IS NOT NULL AND purse IS NOT NULL THEN
            owed := (SELECT coalesce(sum(f.amount_fen), 0) FROM ledger_transfer f WHERE f.debit_account = debt)
                    - (SELECT coalesce(sum(f.amount_fen), 0) FROM ledger_transfer f WHERE f.credit_account = debt);
            IF owed < 0 THEN
                refused := uses_refused(ARRAY[uuid7_beside(refund, 32)], ARRAY[debt], ARRAY[purse], ARRAY[-owed], 'debt', given);
            END IF;
        END IF;
        IF refused IS NOT NULL THEN RAISE EXCEPTION 'not given back' USING ERRCODE = 'OC001'; END IF;
    EXCEPTION WHEN SQLSTATE 'OC001' THEN NULL;  -- what was made of it is undone
    END;
    RETURN QUERY SELECT unnest(refused);
END $$;

-- The reasons of the transfers that the ledger did not newly make, or NULL. Only for `uses_reverse`.
CREATE FUNCTION uses_refused(ids uuid[], debits bigint[], credits bigint[], amounts bigint[], code text, use uuid) RETURNS text[]
LANGUAGE sql AS $$
    SELECT array_agg(p.outcome)
    FROM ledger_post(ids, debits, credits, amounts, array_fill('posted'::text, ARRAY[cardinality(ids)]),
                     array_fill(code, ARRAY[cardinality(ids)]), array_fill(NULL::uuid, ARRAY[cardinality(ids)]),
                     array_fill(NULL::timestamptz, ARRAY[cardinality(ids)]), array_fill(use, ARRAY[cardinality(ids)])) p
$$;

-- The same for a use at one of a client's points, and for no other.
CREATE FUNCTION uses_reverse_for(refund uuid, client bigint) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM FROM uses_refund r JOIN uses_use u ON u.id = r.use_id JOIN catalogue_point p ON p.id = u.point_id
    WHERE r.id = refund AND p.client_id = client;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'REFUND_OF_ANOTHER: no use of this client is given back by it' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT uses_reverse(refund);
END $$;

-- Has the bank asked for a refund of what it paid for a use, where it did: $1 a refund of it that is recorded, $2 terminal,
-- $3 journal, $4 sequence, $5 content. Returns whether an order that is wanted stands: an order for a line that was never recorded
-- may hold the key already. A function, because an order holds the account as the bank calls it, and names an amount.
CREATE FUNCTION uses_refund_bank_order(refund uuid, terminal bigint, journal uuid, sequence bigint, content bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER AS $$
    WITH wanted AS (
        SELECT o.* FROM uses_refund r JOIN uses_bank_order o ON o.use_id = r.use_id AND o.kind = 'payment' WHERE r.id = $1
    ), made AS (
        INSERT INTO uses_bank_order (id, kind, payment_id, terminal_id, journal, sequence, content, card_id, bank_id, token, item, amount_fen, state, use_id, next_try_at)
        SELECT $1, 'refund', o.id, $2, $3, $4, $5, o.card_id, o.bank_id, o.token, o.item, o.amount_fen, 'due', o.use_id, now()
        FROM wanted o
        ON CONFLICT (terminal_id, journal, sequence) DO NOTHING RETURNING 1
    )
    SELECT (SELECT count(*) FROM made) = (SELECT count(*) FROM wanted)
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION uses_open_debts(bigint[]) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION uses_reverse(uuid) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION uses_reverse_for(uuid, bigint) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION uses_refund_bank_order(uuid, bigint, uuid, bigint, bytea) SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION uses_open_debts(bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION uses_refused(uuid[], bigint[], bigint[], bigint[], text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION uses_reverse(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION uses_reverse_for(uuid, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION uses_refund_bank_order(uuid, bigint, uuid, bigint, bytea) FROM PUBLIC;

INSERT INTO foundation_partitioned VALUES ('uses_offline_line', '1 month', true, 3, NULL, true);
SELECT make_partitions();
