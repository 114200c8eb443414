-- Locks the cards shown, in id order so that two groups cannot deadlock, and reads their standing.
-- $1 e-card serials int[], $2 blind indexes of card numbers bytea[]
SELECT s.card_id, s.holder_id, s.issuing_place, s.card_state, s.social_security, s.financial, s.transit,
       s.number_index, s.ecard_serial, s.purse_account_id, s.classes::text, s.chip_counter
FROM cards_standing s
WHERE s.card_id IN (
    SELECT card_id FROM cards_standing WHERE ecard_serial = ANY ($1::int[])
    UNION
    SELECT card_id FROM cards_standing WHERE number_index = ANY ($2::bytea[])
)
ORDER BY s.card_id
FOR NO KEY UPDATE
