-- Some uses, newest first: $1. The columns are those of listed_of_cards.
SELECT u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.code, p.name_zh, p.name_en, p.division, coalesce(t.code, ''), u.medium, u.leg, u.verdict, u.full_fen, u.paid_fen, u.waived_fen,
       u.concession, c.holder_id, r.use_id IS NOT NULL, l.gate_verdict, l.verdict, coalesce(l.manual, false), coalesce(l.double, false)
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN catalogue_terminal t ON t.id = u.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN cards_card c ON c.id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
LEFT JOIN uses_offline_line l ON l.use_id = u.id
WHERE u.id = ANY ($1::uuid[])
ORDER BY u.id DESC
