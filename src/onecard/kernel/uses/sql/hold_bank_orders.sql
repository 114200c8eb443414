-- Lets uses stand on what the bank holds for their lines, in the transaction that records them. $1 terminals, $2 journals,
-- $3 sequences, $4 uses, $5 amounts in fen. Returns the positions, from 1, of those whose order was approved for just that much.
UPDATE uses_bank_order o SET state = 'held', use_id = w.use_id, next_try_at = now()
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[]) WITH ORDINALITY w (terminal_id, journal, sequence, use_id, amount_fen, n)
WHERE (o.terminal_id, o.journal, o.sequence) = (w.terminal_id, w.journal, w.sequence)
  AND o.state = 'approved' AND o.amount_fen = w.amount_fen
RETURNING w.n
