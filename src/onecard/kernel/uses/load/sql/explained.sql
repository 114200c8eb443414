-- A recorded use, with what is known today of its card and point, and the sets of places. $1 use. No row: no such use.
SELECT u.id, u.at, u.terminal_id, u.point_id, u.item, u.item_version_id, u.card_id, u.medium, u.verdict,
       u.full_fen, u.paid_fen, u.waived_fen, u.concession, u.leg, p.code AS point, p.division, p.operator_id,
       s.holder_id, s.issuing_place, s.classes::text AS classes,
       EXISTS (SELECT FROM uses_bank_order b WHERE b.use_id = u.id AND b.kind = 'payment') AS by_bank,
       (SELECT jsonb_object_agg(a.code, a.places) FROM catalogue_area_set a)::text AS areas
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN cards_standing s ON s.card_id = u.card_id
WHERE u.id = $1
