-- What journeys that ended by themselves cost: the transfers with the ids $1, as far as there are any, and whether each was
-- corrected since, and whether it is what the holder owes for it.
SELECT t.id, t.debit_account, t.credit_account, t.amount_fen, a.role = 'holder.debt' AS owed,
       EXISTS (SELECT FROM ledger_transfer c WHERE c.reference = t.id AND c.code = 'correction') AS corrected
FROM unnest($1::uuid[]) w (id) JOIN ledger_transfer t ON t.id = w.id JOIN ledger_account a ON a.id = t.debit_account
WHERE t.code IN ('paid', 'concession', 'shortfall') ORDER BY t.id
