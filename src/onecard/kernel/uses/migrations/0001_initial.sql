-- Uses and what makes each happen once. Partitioned by recording time, which the UUIDv7 carries.

CREATE TABLE uses_use (
    id              uuid NOT NULL,
    at              timestamptz NOT NULL,           -- when it happened, by the server or the offline line
    terminal_id     bigint NOT NULL,
    point_id        bigint NOT NULL,
    item            text NOT NULL,                  -- as asked for, also when no such item exists
    item_version_id bigint,
    card_id         bigint,                         -- NULL: not recognised
    medium          text NOT NULL CHECK (medium IN ('code', 'card', 'number')),
    verdict         text NOT NULL,
    full_fen        bigint NOT NULL CHECK (full_fen >= 0),
    paid_fen        bigint NOT NULL CHECK (paid_fen >= 0),
    waived_fen      bigint NOT NULL DEFAULT 0 CHECK (waived_fen >= 0), -- borne by the operator: a change, a day's cap
    concession      text,                           -- the key of the concession that was best
    leg             text CHECK (leg IN ('in', 'out')),
    PRIMARY KEY (id),
    CHECK (paid_fen + waived_fen <= full_fen)       -- the rest is what the concession's funder bears
) PARTITION BY RANGE (id);
CREATE TABLE uses_use_default PARTITION OF uses_use DEFAULT;
CREATE INDEX uses_use_card ON uses_use (card_id, id) WHERE card_id IS NOT NULL;
CREATE INDEX uses_use_point ON uses_use (point_id, id);
-- Misses of the read-aloud number, by which it is limited.
CREATE INDEX uses_use_missed ON uses_use (id, terminal_id) WHERE verdict = 'NUMBER_UNKNOWN';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON uses_use FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_use EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_use_default EXECUTE FUNCTION refuse_change();

-- The caller's id of a line, and a digest of what was presented (not of the verdict). A refund has one, too: `use_id` is
-- then the refund's, so that no sequence serves twice.
CREATE TABLE uses_journal_key (
    terminal_id bigint NOT NULL,
    journal     uuid NOT NULL,
    sequence    bigint NOT NULL,
    use_id      uuid NOT NULL,
    content     bytea NOT NULL,
    PRIMARY KEY (terminal_id, journal, sequence)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON uses_journal_key FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_journal_key EXECUTE FUNCTION refuse_change();

-- Nonces of codes that were used. After `expires` the code's window refuses it, so old partitions are dropped.
CREATE TABLE uses_spent_nonce (
    expires timestamptz NOT NULL,
    nonce   bytea NOT NULL,
    PRIMARY KEY (expires, nonce)                -- codes of one minute lie together, however many there are
) PARTITION BY RANGE (expires);
CREATE TABLE uses_spent_nonce_default PARTITION OF uses_spent_nonce DEFAULT;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON uses_spent_nonce FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_spent_nonce EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_spent_nonce_default EXECUTE FUNCTION refuse_change();

-- A use given back, once and in full.
CREATE TABLE uses_refund (
    use_id      uuid PRIMARY KEY,
    id          uuid NOT NULL UNIQUE,
    at          timestamptz NOT NULL DEFAULT now(),
    terminal_id bigint NOT NULL,
    -- asked: a terminal or the point's system wanted it; turned_away: the gate never heard that it was admitted, and refused
    reason      text NOT NULL DEFAULT 'asked' CHECK (reason IN ('asked', 'turned_away'))
);
-- In the order in which they were recorded.
CREATE INDEX uses_refund_turned_away ON uses_refund (id) WHERE reason = 'turned_away';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON uses_refund FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_refund EXECUTE FUNCTION refuse_change();

-- A journey (行程): begun by tapping in, ended by tapping out or, at the most it can cost, by itself after `ends_by`.
-- A card has one open journey of an item; the card's lock guards it.
CREATE TABLE uses_journey (
    id              uuid PRIMARY KEY,               -- the use that began it
    card_id         bigint NOT NULL,
    item            text NOT NULL,
    item_version_id bigint NOT NULL,                -- its terms hold to the end
    point           text NOT NULL,                  -- the code of the point where it began, as fares name it
    operator        text NOT NULL,
    sponsor         text,
    at              timestamptz NOT NULL,
    ends_by         timestamptz NOT NULL,
    purse           bigint NOT NULL,
    concession      text,                           -- best when it began
    hold_id         uuid,                           -- NULL: it costs this holder nothing
    held_fen        bigint NOT NULL CHECK (held_fen >= 0),
    ended_at        timestamptz,
    ended_by        uuid,                           -- the use that ended it; NULL: it ended by itself
    given_back      boolean NOT NULL DEFAULT false, -- whoever began it was turned away: it ended at once, and cost nothing
    CHECK (ended_by IS NULL OR ended_at IS NOT NULL),
    CHECK (NOT given_back OR ended_at IS NOT NULL AND ended_by IS NULL),
    CHECK ((hold_id IS NULL) = (held_fen = 0))
);
CREATE UNIQUE INDEX uses_journey_open ON uses_journey (card_id, item) WHERE ended_at IS NULL;
CREATE INDEX uses_journey_ended ON uses_journey (ended_by) WHERE ended_by IS NOT NULL;
CREATE INDEX uses_journey_due ON uses_journey (ends_by) WHERE ended_at IS NULL;
-- What late lines and their holder ask of a card's journeys that are over.
CREATE INDEX uses_journey_over ON uses_journey (card_id, item) WHERE ended_at IS NOT NULL;

-- How far the job that looks for risks has looked: every use up to `through` was tallied in the transaction that wrote it.
CREATE TABLE uses_risk_position (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    through uuid NOT NULL
);
INSERT INTO uses_risk_position (through) VALUES ('00000000-0000-0000-0000-000000000000');

-- How many uses of a minute fit a rule of a risk kind, by subject and terminal; enough of them make a risk fact. A flood at
-- one terminal is a row a minute. Rows older than any window are dropped.
CREATE TABLE uses_risk_tally (
    kind        text NOT NULL,
    subject     text NOT NULL,                      -- card:1, terminal:2, point:3, city:320600
    minute      timestamptz NOT NULL,
    terminal_id bigint NOT NULL,
    place       varchar(6) NOT NULL,
    hits        int NOT NULL CHECK (hits > 0),
    uses        uuid[] NOT NULL,                    -- the first ten of them, for whoever looks at the fact
    PRIMARY KEY (kind, subject, minute, terminal_id)
);
CREATE INDEX uses_risk_tally_minute ON uses_risk_tally (minute);

INSERT INTO foundation_partitioned VALUES
    ('uses_use', '1 month', true, 3, NULL, true),
    ('uses_spent_nonce', '1 month', false, 1, 30, true);
SELECT make_partitions();
