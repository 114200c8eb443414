-- As listed_offline, of those that were used twice ($9) or decided otherwise than the platform would have (not $9). They are few,
-- and an index of their own holds them.
WITH odd AS NOT MATERIALIZED (
    SELECT use_id FROM uses_offline_line
    WHERE (gate_verdict <> verdict OR double) AND use_id < $1 AND use_id >= $2
      AND CASE WHEN $9::boolean THEN double ELSE gate_verdict <> verdict END
)
SELECT * FROM (
    (SELECT s.id, true AS fits
     FROM (SELECT use_id FROM odd ORDER BY use_id DESC LIMIT $3) l
     JOIN uses_use s ON s.id = l.use_id
     JOIN catalogue_point p ON p.id = s.point_id
     WHERE p.division LIKE ANY ($4::text[]) AND ($5 = '' OR s.item = $5) AND ($6 = '' OR s.verdict = $6)
       AND ($8::bigint IS NULL OR s.point_id = $8)
     ORDER BY l.use_id DESC LIMIT $7)
    UNION ALL
    (SELECT use_id, false FROM odd ORDER BY use_id DESC OFFSET $3 - 1 LIMIT 1)
) w LIMIT $7
