-- The same of the uses that were given back because the gate never heard of them and turned their holders away, by the ids of
-- their refunds: $1 kind, $2 after, $3 through, $4 by what they are counted.
INSERT INTO uses_risk_tally AS t (kind, subject, minute, terminal_id, place, hits, uses)
SELECT $1::text, subject, date_trunc('minute', at), terminal_id, max(place), count(*), (array_agg(id ORDER BY id))[1:10]
FROM (
    SELECT u.id, u.at, u.terminal_id,
           CASE $4::text WHEN 'terminal' THEN 'terminal:' || u.terminal_id WHEN 'point' THEN 'point:' || u.point_id
               WHEN 'card' THEN 'card:' || u.card_id ELSE 'city:' || left(p.division, 4) || '00' END AS subject,
           CASE $4::text WHEN 'city' THEN left(p.division, 4) || '00' ELSE p.division END AS place
    FROM uses_refund r JOIN uses_use u ON u.id = r.use_id JOIN catalogue_point p ON p.id = u.point_id
    WHERE r.id > $2 AND r.id <= $3 AND r.reason = 'turned_away'
) hit
WHERE subject IS NOT NULL
GROUP BY subject, date_trunc('minute', at), terminal_id
ON CONFLICT (kind, subject, minute, terminal_id) DO UPDATE
    SET hits = t.hits + excluded.hits, uses = (t.uses || excluded.uses)[1:10]
RETURNING subject, minute
