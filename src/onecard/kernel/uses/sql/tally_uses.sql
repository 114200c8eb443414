-- Tallies the uses of a batch that fit a rule: $1 kind, $2 after, $3 through, $4 verdicts, $5 media, $6 by what they are
-- counted. Returns the subjects and minutes that grew.
INSERT INTO uses_risk_tally AS t (kind, subject, minute, terminal_id, place, hits, uses)
SELECT $1::text, subject, date_trunc('minute', at), terminal_id, max(place), count(*), (array_agg(id ORDER BY id))[1:10]
FROM (
    SELECT u.id, u.at, u.terminal_id,
           CASE $6::text WHEN 'terminal' THEN 'terminal:' || u.terminal_id WHEN 'point' THEN 'point:' || u.point_id
               WHEN 'card' THEN 'card:' || u.card_id ELSE 'city:' || left(p.division, 4) || '00' END AS subject,
           CASE $6::text WHEN 'city' THEN left(p.division, 4) || '00' ELSE p.division END AS place
    FROM uses_use u JOIN catalogue_point p ON p.id = u.point_id
    WHERE u.id > $2 AND u.id <= $3 AND u.verdict = ANY ($4::text[]) AND u.medium = ANY ($5::text[])
) hit
WHERE subject IS NOT NULL
GROUP BY subject, date_trunc('minute', at), terminal_id
ON CONFLICT (kind, subject, minute, terminal_id) DO UPDATE
    SET hits = t.hits + excluded.hits, uses = (t.uses || excluded.uses)[1:10]
RETURNING subject, minute
