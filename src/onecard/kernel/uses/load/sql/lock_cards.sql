-- Locks the cards shown and then their purses, each in id order so that two groups cannot deadlock, and reads the cards'
-- standing and what each purse may spend (free) and take in (room). The purses are asked for when every card is locked.
-- A full join, though every purse is some card's: a nested loop cannot make one, and would compare each card with each purse.
-- $1 e-card serials int[], $2 blind indexes of card numbers bytea[]
WITH cards AS MATERIALIZED (
    SELECT s.card_id, s.holder_id, s.issuing_place, s.card_state, s.social_security, s.financial, s.transit,
           s.number_index, s.ecard_serial, s.purse_account_id, s.classes::text AS classes, s.chip_counter, s.codes_from
    FROM cards_standing s
    WHERE s.card_id IN (
        SELECT card_id FROM cards_standing WHERE ecard_serial = ANY ($1::int[])
        UNION
        SELECT card_id FROM cards_standing WHERE number_index = ANY ($2::bytea[])
    )
    ORDER BY s.card_id
    FOR NO KEY UPDATE
)
SELECT c.*, p.free_fen, p.room_fen
FROM cards c FULL JOIN ledger_lock((SELECT array_agg(purse_account_id) FROM cards)) p ON p.account_id = c.purse_account_id
