-- One use, if it was at one of a client's own points: $1 client, $2 use. The columns are those of of_points.
SELECT u.id, u.at, p.code, t.id, t.code, u.item, v.version, u.medium, u.leg, u.verdict,
       u.full_fen, u.paid_fen, u.waived_fen, u.concession, s.holder_id, r.use_id IS NOT NULL, p.division
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id AND p.client_id = $1
JOIN catalogue_terminal t ON t.id = u.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = u.item_version_id
LEFT JOIN cards_standing s ON s.card_id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
WHERE u.id = $2
