-- Uses with the names of item and point, and what a gate without a line said of them: those of $1, and those of the card $2
-- (null: none) that were recorded between the ids $3 and $4, at most $5. In the order in which they happened.
SELECT u.id, u.at, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.name_zh, p.name_en, coalesce(t.code, ''), u.medium, u.verdict, u.id = ANY ($1::uuid[]), l.gate_verdict, l.manual
FROM (
    SELECT * FROM uses_use WHERE id = ANY ($1::uuid[])
    UNION
    (SELECT * FROM uses_use WHERE card_id = $2::bigint AND id BETWEEN $3 AND $4 ORDER BY id DESC LIMIT $5)
) u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN catalogue_terminal t ON t.id = u.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN uses_offline_line l ON l.use_id = u.id
ORDER BY u.at, u.id
