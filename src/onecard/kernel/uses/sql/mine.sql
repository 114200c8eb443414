-- The uses of a holder's cards that their holder looks for, newest first. $1 cards; $2 before this id; $3 how many; $4 field
-- ('' all); $5 outcome: 'admitted', 'refused' or ''. Each card gives its own newest ones by its index.
SELECT u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.name_zh, p.name_en, u.medium, u.leg, u.verdict, u.full_fen, u.paid_fen, u.waived_fen, u.concession, u.item_version_id,
       r.reason
FROM unnest($1::bigint[]) w (card_id)
CROSS JOIN LATERAL (
    SELECT * FROM uses_use o
    WHERE o.card_id = w.card_id AND o.id < $2 AND $4 IN ('', split_part(o.item, '.', 1))
      AND ($5 = '' OR ($5 = 'admitted') = (o.verdict = 'ADMITTED'))
    ORDER BY o.id DESC LIMIT $3) u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN uses_refund r ON r.use_id = u.id
ORDER BY u.id DESC LIMIT $3
