-- The e-cards that a status list marks, in blocks of 65,536 serials: status, and serials of four bytes each, network order.
-- Marked are the few, not the many: closed or cancelled (1, INVALID), lost, paused or locked (2, SUSPENDED). Both indexes hold
-- nothing else. One statement, so that an e-card that closes meanwhile is in one of the two.
SELECT status, string_agg(int4send(serial), '')
FROM (
    SELECT ecard_serial AS serial, CASE WHEN card_state IN ('cancelled', 'cancelled_after_loss') THEN 1 ELSE 2 END AS status
    FROM cards_standing
    WHERE ecard_serial IS NOT NULL AND NOT card_state = 'active'
    UNION ALL
    SELECT serial, 1 FROM ecards_ecard WHERE closed_at IS NOT NULL
) AS marked
GROUP BY status, serial >> 16
