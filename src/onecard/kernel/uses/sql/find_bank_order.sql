-- The order of a line. $1 terminal, $2 journal, $3 sequence.
SELECT id, state, content, amount_fen FROM uses_bank_order WHERE (terminal_id, journal, sequence) = ($1, $2, $3)
