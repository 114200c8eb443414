-- As listed_all, of one point by its index: $8.
SELECT * FROM (
    (SELECT s.id, true AS fits
     FROM (SELECT id, point_id, item, verdict FROM uses_use
           WHERE point_id = $8 AND id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3) s
     JOIN catalogue_point p ON p.id = s.point_id
     WHERE p.division LIKE ANY ($4::text[]) AND ($5 = '' OR s.item = $5) AND ($6 = '' OR s.verdict = $6)
     ORDER BY s.id DESC LIMIT $7)
    UNION ALL
    (SELECT id, false FROM uses_use WHERE point_id = $8 AND id < $1 AND id >= $2 ORDER BY id DESC OFFSET $3 - 1 LIMIT 1)
) w LIMIT $7
