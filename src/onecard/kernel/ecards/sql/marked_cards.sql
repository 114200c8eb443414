-- The cards that their list marks, by card id, in the shape of marked_serials.sql: cancelled (1), and every other that is not
-- active (2): lost, paused, locked, not activated yet. Its index holds nothing else.
SELECT CASE WHEN card_state IN ('cancelled', 'cancelled_after_loss') THEN 1 ELSE 2 END AS status,
       string_agg(int4send(card_id::int), '')
FROM cards_standing
WHERE NOT card_state = 'active'
GROUP BY 1, card_id >> 16
