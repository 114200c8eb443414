-- What waits for somebody, in places, each counted up to $3. $1 patterns of divisions (3206%), $2 the first id of the last seven
-- days, $4 how many are looked through at most: uses of gates without a line that differ or were used twice, by the index of
-- just these; orders to the bank that stay open; journals that are broken.
SELECT (SELECT least(coalesce(sum(o.lines), 0), $3)::bigint FROM (
            SELECT terminal_id, count(*) AS lines FROM (
                SELECT terminal_id FROM uses_offline_line
                WHERE use_id >= $2 AND (gate_verdict <> verdict OR double) ORDER BY use_id DESC LIMIT $4) l
            GROUP BY 1) o
        JOIN catalogue_terminal t ON t.id = o.terminal_id JOIN catalogue_point p ON p.id = t.point_id
        WHERE p.division LIKE ANY ($1::text[])),
       (SELECT count(*) FROM (
            SELECT FROM uses_bank_order b
            WHERE b.alarmed_at IS NOT NULL AND b.state IN ('asked', 'approved', 'held', 'releasing', 'due') LIMIT $3) b),
       (SELECT count(*) FROM (
            SELECT FROM uses_journal j JOIN catalogue_terminal t ON t.id = j.terminal_id JOIN catalogue_point p ON p.id = t.point_id
            WHERE j.broken_at IS NOT NULL AND p.division LIKE ANY ($1::text[]) LIMIT $3) c)
