-- Asks the bank for a refund of what was paid for a use, in the transaction that gives the use back. $1 refund, $2 use,
-- $3 terminal, $4 journal, $5 sequence, $6 content. Nothing happens for a use that was paid otherwise.
INSERT INTO uses_bank_order (id, kind, payment_id, terminal_id, journal, sequence, content, card_id, bank_id, token, item, amount_fen, state, use_id, next_try_at)
SELECT $1, 'refund', o.id, $3, $4, $5, $6, o.card_id, o.bank_id, o.token, o.item, o.amount_fen, 'due', o.use_id, now()
FROM uses_bank_order o WHERE o.use_id = $2 AND o.kind = 'payment'
