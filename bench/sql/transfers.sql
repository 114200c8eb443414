-- $1, $2 bounds of ids; $3 where the ids of accounts begin, less those of cards; $4 the treasury
INSERT INTO ledger_transfer (id, debit_account, credit_account, amount_fen, kind, code, reference, at)
SELECT (left(u.id::text, 34) || w.beside)::uuid, CASE w.beside WHEN '01' THEN u.card_id + $3 ELSE $4 END,
       CASE w.beside WHEN '01' THEN d.to_purse ELSE coalesce(d.to_treasury, d.to_purse) END,
       CASE w.beside WHEN '01' THEN u.paid_fen ELSE u.full_fen - u.paid_fen END, 'posted',
       CASE w.beside WHEN '01' THEN 'paid' ELSE 'concession' END, u.id, u.at
FROM uses_use u
JOIN (SELECT DISTINCT terminal_id, item, to_purse, to_treasury FROM crowd_door WHERE full_fen > 0) d USING (terminal_id, item)
JOIN (VALUES ('01'), ('02')) w (beside) ON CASE w.beside WHEN '01' THEN u.paid_fen > 0 ELSE u.full_fen > u.paid_fen END
WHERE u.id >= $1 AND u.id < $2 AND u.verdict = 'ADMITTED' AND u.full_fen > 0
ORDER BY u.id
