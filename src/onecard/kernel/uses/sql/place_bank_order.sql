-- Writes an order before the bank is asked. $1 its id; $2 terminal, $3 journal, $4 sequence, $5 content of the line; $6 card,
-- $7 item, $8 amount in fen, $9 after how many seconds it counts as given up. Returns the account's token and the operator's
-- code. No row: the line has its order already, or the card no account.
WITH made AS (
    INSERT INTO uses_bank_order (id, kind, terminal_id, journal, sequence, content, card_id, bank_id, token, item, amount_fen, state, next_try_at)
    SELECT $1, 'payment', $2, $3, $4, $5, a.card_id, a.bank_id, a.token, $7, $8, 'asked', now() + make_interval(secs => $9::int)
    FROM cards_account a WHERE a.card_id = $6
    ON CONFLICT DO NOTHING
    RETURNING terminal_id, token
)
SELECT made.token, operator.code AS merchant
FROM made
JOIN catalogue_terminal t ON t.id = made.terminal_id
JOIN catalogue_point p ON p.id = t.point_id
JOIN partners_party operator ON operator.id = p.operator_id
