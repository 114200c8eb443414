-- What waits for somebody, in places, each counted up to $3. $1 prefixes of divisions, $2 the first id of the last seven days:
-- uses of gates without a line that differ or were used twice, orders to the bank that stay open, journals that are broken.
SELECT (SELECT count(*) FROM (
            SELECT FROM uses_offline_line l
            JOIN uses_use u ON u.id = l.use_id JOIN catalogue_point p ON p.id = u.point_id
            WHERE l.use_id >= $2 AND (l.gate_verdict <> l.verdict OR l.double)
              AND EXISTS (SELECT FROM unnest($1::text[]) w (place) WHERE starts_with(p.division, w.place)) LIMIT $3) a),
       (SELECT count(*) FROM (
            SELECT FROM uses_bank_order b
            WHERE b.alarmed_at IS NOT NULL AND b.state IN ('asked', 'approved', 'held', 'releasing', 'due') LIMIT $3) b),
       (SELECT count(*) FROM (
            SELECT FROM uses_journal j
            JOIN catalogue_terminal t ON t.id = j.terminal_id JOIN catalogue_point p ON p.id = t.point_id
            WHERE j.broken_at IS NOT NULL
              AND EXISTS (SELECT FROM unnest($1::text[]) w (place) WHERE starts_with(p.division, w.place)) LIMIT $3) c)
