-- A page of uses at points of some places, newest first, found by looking through no more than so many. The first two columns say
-- how many were looked through and which was the last of them; a page without a use is one row with nothing else in it.
-- $1 which are looked through: all, point (those of $5), offline; $2 before this id, $3 not before this one, $4 how many at
-- most, $5 point or null, $6 prefixes of divisions, $7 item or '', $8 verdict or '', $9 '', double or differs, $10 how many of a page.
WITH source AS MATERIALIZED (
    (SELECT * FROM uses_use a WHERE $1 = 'all' AND a.id < $2 AND a.id >= $3 ORDER BY a.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM uses_use b WHERE $1 = 'point' AND b.point_id = $5 AND b.id < $2 AND b.id >= $3 ORDER BY b.id DESC LIMIT $4)
    UNION ALL
    (SELECT c.* FROM (
        SELECT o.use_id FROM uses_offline_line o
        WHERE $1 = 'offline' AND o.use_id < $2 AND o.use_id >= $3 ORDER BY o.use_id DESC LIMIT $4) w
     JOIN uses_use c ON c.id = w.use_id)
), fit AS (
    SELECT s.*, p.code AS point, p.name_zh, p.name_en, p.division, l.gate_verdict, l.verdict AS ours,
           coalesce(l.manual, false) AS manual, coalesce(l.double, false) AS double
    FROM source s
    JOIN catalogue_point p ON p.id = s.point_id
    LEFT JOIN uses_offline_line l ON $1 = 'offline' AND l.use_id = s.id
    WHERE EXISTS (SELECT FROM unnest($6::text[]) w (place) WHERE starts_with(p.division, w.place))
      AND ($5::bigint IS NULL OR s.point_id = $5) AND ($7 = '' OR s.item = $7) AND ($8 = '' OR s.verdict = $8)
      AND CASE $9 WHEN 'double' THEN l.double WHEN 'differs' THEN l.gate_verdict <> l.verdict ELSE true END
    ORDER BY s.id DESC LIMIT $10
)
SELECT (SELECT count(*) FROM source), (SELECT s.id FROM source s ORDER BY s.id LIMIT 1),
       u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       u.point, u.name_zh, u.name_en, u.division, coalesce(t.code, ''), u.medium, u.leg, u.verdict, u.full_fen, u.paid_fen, u.waived_fen,
       u.concession, c.holder_id, r.use_id IS NOT NULL, coalesce(u.gate_verdict, l.gate_verdict), coalesce(u.ours, l.verdict),
       u.manual OR coalesce(l.manual, false), u.double OR coalesce(l.double, false)
FROM (SELECT) one
LEFT JOIN fit u ON true
LEFT JOIN uses_offline_line l ON l.use_id = u.id
LEFT JOIN catalogue_terminal t ON t.id = u.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN cards_card c ON c.id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
ORDER BY u.id DESC
