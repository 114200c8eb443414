-- A use and what its refund may look at. $1 use, $2 terminal that asks, $3 journal, $4 sequence. No row: no such use.
--   began, began_at   when and at which point (id) the journey began that this use ended: there it counted
--   ended      when it happened; of a journey, when that ended
--   left_open  it began a journey that ended by itself: what that cost was charged for this use
--   open_hold  it began a journey that is open: [the hold of that, or null]
--   sold       the pass this use sold ($5, if it sold one): [pass, whether it is in use]
--   served_by  the pass that served this use, and whether no other use of it stands
--   verdict, full_fen, …   of a use that stands as refused and whose admission stands beside it, those of the admission
SELECT u.id, CASE WHEN l.stood_full_fen IS NULL THEN u.verdict ELSE 'ADMITTED' END AS verdict, u.item, u.item_version_id, u.card_id,
       coalesce(l.stood_full_fen, u.full_fen) AS full_fen, coalesce(l.stood_paid_fen, u.paid_fen) AS paid_fen,
       coalesce(l.stood_waived_fen, u.waived_fen) AS waived_fen, coalesce(l.stood_concession, u.concession) AS concession, u.at,
       u.leg, u.point_id, p.operator_id, p.client_id, s.holder_id, s.purse_account_id, r.id AS refund_id,
       (SELECT j.use_id FROM uses_journal_key j WHERE (j.terminal_id, j.journal, j.sequence) = ($2, $3, $4)) AS known_as,
       j.at AS began, (SELECT q.id FROM catalogue_point q WHERE q.code = j.point) AS began_at,
       coalesce(j.ended_at, u.at) AS ended, j.id IS NOT DISTINCT FROM u.id AS left_open,
       (SELECT jsonb_build_array(i.hold_id) FROM uses_journey i WHERE i.id = u.id AND i.ended_at IS NULL)::text AS open_hold,
       (SELECT jsonb_build_array(s.id, s.starts_on IS NOT NULL) FROM entitlements_pass s WHERE s.id = $5)::text AS sold,
       (SELECT jsonb_build_array(x.pass_id, NOT EXISTS (
            SELECT FROM entitlements_pass_use o LEFT JOIN uses_refund q ON q.use_id = o.use_id
            WHERE o.pass_id = x.pass_id AND o.use_id <> x.use_id AND q.id IS NULL))
        FROM entitlements_pass_use x WHERE x.use_id = u.id)::text AS served_by
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN cards_standing s ON s.card_id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
LEFT JOIN uses_offline_line l ON l.use_id = u.id
LEFT JOIN LATERAL (
    SELECT e.* FROM uses_journey e WHERE e.ended_by = u.id
    UNION ALL
    SELECT o.* FROM uses_journey o WHERE o.id = u.id AND o.ended_at IS NOT NULL AND o.ended_by IS NULL) j ON true
WHERE u.id = $1
