-- The newest uses of some cards, with the names of item and point, and why each was given back (null: it was not). $1 card ids, $2 how many.
SELECT u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.name_zh, p.name_en, u.medium, u.verdict, u.full_fen, u.paid_fen, u.concession, r.reason
FROM unnest($1::bigint[]) c (card_id)
CROSS JOIN LATERAL (SELECT * FROM uses_use u WHERE u.card_id = c.card_id ORDER BY u.id DESC LIMIT $2) u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN uses_refund r ON r.use_id = u.id
ORDER BY u.id DESC LIMIT $2
