-- Asks the bank for a refund of what was paid for a use, in the transaction that gives the use back. $1 refund, $2 use,
-- $3 terminal, $4 journal, $5 sequence, $6 content. Nothing happens for a use that was paid otherwise. Returns whether an
-- order that is wanted stands: an order for a line that was never recorded may hold the key already.
WITH wanted AS (
    SELECT * FROM uses_bank_order WHERE use_id = $2 AND kind = 'payment'
), made AS (
    INSERT INTO uses_bank_order (id, kind, payment_id, terminal_id, journal, sequence, content, card_id, bank_id, token, item, amount_fen, state, use_id, next_try_at)
    SELECT $1, 'refund', o.id, $3, $4, $5, $6, o.card_id, o.bank_id, o.token, o.item, o.amount_fen, 'due', o.use_id, now()
    FROM wanted o
    ON CONFLICT (terminal_id, journal, sequence) DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM made) = (SELECT count(*) FROM wanted)
