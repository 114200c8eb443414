-- A recorded use, with what is known today of its card and point, and the sets of places. $1 use. No row: no such use.
--   gate  what a gate without a line had decided, and what came of that, as a JSON text; null: it was told as it happened
SELECT u.id, u.at, u.terminal_id, u.point_id, u.item, u.item_version_id, u.card_id, u.medium, u.verdict,
       u.full_fen, u.paid_fen, u.waived_fen, u.concession, u.leg, p.code AS point, p.division, p.operator_id,
       s.holder_id, s.issuing_place, s.classes::text AS classes,
       EXISTS (SELECT FROM uses_bank_order b WHERE b.use_id = u.id AND b.kind = 'payment') AS by_bank,
       (SELECT jsonb_object_agg(a.code, a.places) FROM catalogue_area_set a)::text AS areas,
       (SELECT jsonb_build_object(
            'verdict', l.gate_verdict, 'ours', l.verdict, 'manual', l.manual, 'at', l.at_gate, 'corrected_s', l.correction_s,
            'oldest_list_s', l.oldest_list_s, 'reason', l.reason, 'double', l.double, 'paid_fen', coalesce(l.stood_paid_fen, u.paid_fen),
            'shortfall_fen', coalesce(nullif(l.shortfall_fen, 0), j.shortfall_fen, 0),
            'borne_by', coalesce(l.borne_by, CASE WHEN j.shortfall_fen > 0 THEN j.borne_by END),
            'given_back', EXISTS (SELECT FROM uses_refund r WHERE r.use_id = u.id AND r.reason = 'turned_away'))
        FROM uses_offline_line l
        LEFT JOIN uses_journey j ON j.ended_by = u.id OR j.id = u.id AND j.ended_at IS NOT NULL AND j.ended_by IS NULL
        WHERE l.use_id = u.id)::text AS gate
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN cards_standing s ON s.card_id = u.card_id
WHERE u.id = $1
