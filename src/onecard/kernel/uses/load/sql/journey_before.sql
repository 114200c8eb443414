-- The journey of an item that was open on a card when a use of it was shown: the latest that was begun before, unless it had
-- ended, at a gate or because its time was over. $1 card, $2 item, $3 the use, $4 when it was, $5 the smallest UUIDv7 of what
-- may still have been open.
SELECT j.card_id, j.item, j.id, j.item_version_id, j.point, j.operator, j.sponsor, extract(epoch FROM j.at)::float8,
       extract(epoch FROM j.ends_by)::float8, j.purse, j.concession, j.hold_id, j.held_fen, j.borne_by
FROM (
    SELECT o.id FROM uses_use o
    WHERE o.card_id = $1 AND o.id >= $5 AND o.item = $2 AND o.leg = 'in' AND o.verdict = 'ADMITTED'
      AND (left(o.id::text, 13), o.at) < (left($3::uuid::text, 13), $4)
    ORDER BY left(o.id::text, 13) DESC, o.at DESC LIMIT 1) begun
JOIN uses_journey j ON j.id = begun.id
WHERE j.ends_by > $4 AND (j.ended_at IS NULL OR j.ended_by = $3 OR j.ended_at > $4)
