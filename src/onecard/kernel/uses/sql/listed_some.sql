-- Some uses, newest first: $1. The columns are those of listed_of_cards. However many they are, what stands beside each is found by
-- its key: a part of an export would otherwise be joined with all there ever was.
SELECT u.id, u.at, u.item, coalesce(v.declaration #>> '{name,zh}', u.item), coalesce(v.declaration #>> '{name,en}', ''),
       p.code, p.name_zh, p.name_en, p.division, coalesce(t.code, ''), u.medium, u.leg, u.verdict, u.full_fen, u.paid_fen, u.waived_fen,
       u.concession, c.holder_id, r.use_id IS NOT NULL, l.gate_verdict, l.verdict, coalesce(l.manual, false), coalesce(l.double, false)
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN catalogue_terminal t ON t.id = u.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN cards_card c ON c.id = u.card_id
LEFT JOIN LATERAL (SELECT * FROM uses_refund o WHERE o.use_id = u.id OFFSET 0) r ON true
LEFT JOIN LATERAL (SELECT * FROM uses_offline_line o WHERE o.use_id = u.id OFFSET 0) l ON true
WHERE u.id = ANY ($1::uuid[])
ORDER BY u.id DESC
