-- Records a refund and its key, and gives its quotas back. $1 refund, $2 use, $3 terminal, $4 journal, $5 sequence, $6 digest
-- of what was asked; $7..$10 quotas: holder, rule, period, how much; $11 why. Returns whether the refund and its key are new.
WITH given_back AS (
    UPDATE entitlements_quota q SET used = greatest(0, q.used - w.less)
    FROM unnest($7::bigint[], $8::text[], $9::text[], $10::int[]) w (holder_id, rule, period, less)
    WHERE (q.holder_id, q.rule, q.period) = (w.holder_id, w.rule, w.period)
), key AS (
    INSERT INTO uses_journal_key (terminal_id, journal, sequence, use_id, content) VALUES ($3, $4, $5, $1, $6)
    ON CONFLICT DO NOTHING RETURNING 1
), refund AS (
    INSERT INTO uses_refund (id, use_id, terminal_id, reason) VALUES ($1, $2, $3, $11)
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT EXISTS (SELECT FROM refund) AS refund_is_new, EXISTS (SELECT FROM key) AS key_is_new
