-- What may have counted against a holder's quotas of an item: the admitted uses by any of their cards, and when each was
-- given back. A journey's limits count at its beginning and are given back with its end.
-- $1 holder, $2 item, $3 the smallest UUIDv7 of the day from which to look.
SELECT u.id, u.at, u.item_version_id, u.paid_fen, u.concession, u.leg, coalesce(r.at, e.at) AS given_back_at
FROM cards_standing s
CROSS JOIN LATERAL (
    SELECT * FROM uses_use o
    WHERE o.card_id = s.card_id AND o.id >= $3 AND o.item = $2 AND o.verdict = 'ADMITTED' OFFSET 0) u
LEFT JOIN uses_refund r ON r.use_id = u.id
LEFT JOIN uses_journey j ON j.id = u.id
LEFT JOIN uses_refund e ON e.use_id = j.ended_by
WHERE s.holder_id = $1
