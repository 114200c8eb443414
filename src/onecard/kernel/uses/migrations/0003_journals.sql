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
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION uses_open_debts(bigint[]) SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION uses_open_debts(bigint[]) FROM PUBLIC;

INSERT INTO foundation_partitioned VALUES ('uses_offline_line', '1 month', true, 3, NULL, true);
SELECT make_partitions();
