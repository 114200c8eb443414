-- The uses of a holder's cards that their holder looks for, newest first. $1 cards; $2 before this id; $3 how many; $4 field
-- ('' all); $5 outcome: 'admitted', 'refused' or ''. Each card gives its own newest ones by its index.
-- The last column: it tapped out of a journey that had ended by itself, and that stays as it was charged, since the purse was too full.
SELECT u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.name_zh, p.name_en, u.medium, u.leg, u.verdict, u.full_fen, u.paid_fen, u.waived_fen, u.concession, u.item_version_id,
       r.reason,
       u.leg IS NOT DISTINCT FROM 'out' AND u.verdict = 'ADMITTED' AND u.paid_fen = 0
       AND NOT EXISTS (SELECT FROM uses_journey e WHERE e.card_id = u.card_id AND e.ended_by = u.id)
       AND EXISTS (SELECT FROM uses_journey j
                   WHERE j.card_id = u.card_id AND j.item = u.item AND j.ended_at IS NOT NULL AND j.ended_by IS NULL
                     AND NOT j.given_back AND j.at <= u.at + interval '1 minute' AND u.at < least(j.ends_by, j.ended_at)
                     AND NOT EXISTS (SELECT FROM uses_refund g WHERE g.use_id = j.id))
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
