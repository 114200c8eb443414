-- Locks the capacities that a group may count in, in key order so that two groups cannot deadlock, and reads them; those
-- of a period that begins are made. $1 points, $2 rules, $3 periods.
INSERT INTO entitlements_capacity AS c (point_id, rule, period, used)
SELECT w.*, 0 FROM unnest($1::bigint[], $2::text[], $3::text[]) w (point_id, rule, period) ORDER BY 1, 2, 3
ON CONFLICT (point_id, rule, period) DO UPDATE SET used = c.used
RETURNING point_id, rule, period, used
