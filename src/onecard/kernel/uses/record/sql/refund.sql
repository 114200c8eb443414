-- Records a refund and gives its quotas back. $1 refund, $2 use, $3 terminal, $4 journal, $5 sequence;
-- $6..$8 quotas: holder, rule, first day of the period. Returns a row if the refund is new.
WITH given_back AS (
    UPDATE entitlements_quota q SET used = q.used - 1
    FROM unnest($6::bigint[], $7::text[], $8::date[]) w (holder_id, rule, period)
    WHERE (q.holder_id, q.rule, q.period) = (w.holder_id, w.rule, w.period) AND q.used > 0
)
INSERT INTO uses_refund (id, use_id, terminal_id, journal, sequence) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING id
