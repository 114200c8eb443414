-- As listed_all, of what gates without a line sent; $8 point or null.
SELECT * FROM (
    (SELECT s.id, true AS fits
     FROM (SELECT use_id FROM uses_offline_line WHERE use_id < $1 AND use_id >= $2 ORDER BY use_id DESC LIMIT $3) l
     JOIN uses_use s ON s.id = l.use_id
     JOIN catalogue_point p ON p.id = s.point_id
     WHERE p.division LIKE ANY ($4::text[]) AND ($5 = '' OR s.item = $5) AND ($6 = '' OR s.verdict = $6)
       AND ($8::bigint IS NULL OR s.point_id = $8)
     ORDER BY l.use_id DESC LIMIT $7)
    UNION ALL
    (SELECT use_id, false FROM uses_offline_line WHERE use_id < $1 AND use_id >= $2 ORDER BY use_id DESC OFFSET $3 - 1 LIMIT 1)
) w LIMIT $7
