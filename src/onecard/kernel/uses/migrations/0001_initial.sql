-- Uses and what makes each happen once. Partitioned by recording time, which the UUIDv7 carries.

CREATE TABLE uses_use (
    id              uuid NOT NULL,
    at              timestamptz NOT NULL,           -- when it happened, by the server or the offline line
    terminal_id     bigint NOT NULL,
    point_id        bigint NOT NULL,
    item            text NOT NULL,                  -- as asked for, also when no such item exists
    item_version_id bigint,
    card_id         bigint,                         -- NULL: not recognised
    medium          text NOT NULL CHECK (medium IN ('code', 'card')),
    verdict         text NOT NULL,
    full_fen        bigint NOT NULL CHECK (full_fen >= 0),
    paid_fen        bigint NOT NULL CHECK (paid_fen BETWEEN 0 AND full_fen),
    concession      text,                           -- the class whose terms were best
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE TABLE uses_use_default PARTITION OF uses_use DEFAULT;
CREATE INDEX uses_use_card ON uses_use (card_id, id) WHERE card_id IS NOT NULL;
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

-- A use given back, once: by the same operator, in full.
CREATE TABLE uses_refund (
    use_id      uuid PRIMARY KEY,
    id          uuid NOT NULL UNIQUE,
    at          timestamptz NOT NULL DEFAULT now(),
    terminal_id bigint NOT NULL
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON uses_refund FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON uses_refund EXECUTE FUNCTION refuse_change();

INSERT INTO foundation_partitioned VALUES
    ('uses_use', '1 month', true, 3, NULL, true),
    ('uses_spent_nonce', '1 month', false, 1, 30, true);
SELECT make_partitions();
