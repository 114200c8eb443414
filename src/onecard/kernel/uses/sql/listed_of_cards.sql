-- The uses of some cards, newest first. $1 cards, $2 before this id, $3 how many. Each card gives its own newest ones by its
-- index. The columns are those of listed_some.
SELECT u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.code, p.name_zh, p.name_en, p.division, coalesce(t.code, ''), u.medium, u.leg, u.verdict, u.full_fen, u.paid_fen, u.waived_fen,
       u.concession, c.holder_id, r.use_id IS NOT NULL, l.gate_verdict, l.verdict, coalesce(l.manual, false), coalesce(l.double, false)
FROM unnest($1::bigint[]) w (card_id)
CROSS JOIN LATERAL (
    SELECT * FROM uses_use o WHERE o.card_id = w.card_id AND o.id < $2 ORDER BY o.id DESC LIMIT $3) u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN catalogue_terminal t ON t.id = u.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN cards_card c ON c.id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
LEFT JOIN uses_offline_line l ON l.use_id = u.id
ORDER BY u.id DESC LIMIT $3
