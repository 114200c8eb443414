-- What waits for somebody, in places, each counted up to $3. $1 patterns of divisions (3206%), $2 the first id of the last seven
-- days: uses of gates without a line that differ or were used twice, by the index of just these; orders to the bank that stay
-- open; journals that are broken.
WITH here AS MATERIALIZED (
    SELECT t.id FROM catalogue_terminal t JOIN catalogue_point p ON p.id = t.point_id WHERE p.division LIKE ANY ($1::text[])
)
SELECT (SELECT count(*) FROM (
            SELECT FROM uses_offline_line l JOIN here ON here.id = l.terminal_id
            WHERE l.use_id >= $2 AND (l.gate_verdict <> l.verdict OR l.double) LIMIT $3) a),
       (SELECT count(*) FROM (
            SELECT FROM uses_bank_order b
            WHERE b.alarmed_at IS NOT NULL AND b.state IN ('asked', 'approved', 'held', 'releasing', 'due') LIMIT $3) b),
       (SELECT count(*) FROM (
            SELECT FROM uses_journal j JOIN here ON here.id = j.terminal_id WHERE j.broken_at IS NOT NULL LIMIT $3) c)
