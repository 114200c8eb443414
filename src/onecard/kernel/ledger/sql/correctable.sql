-- A transfer to be corrected, and its correction if there is one. $1 its id
SELECT t.debit_account, t.credit_account, t.amount_fen, t.kind, t.code,
       (SELECT c.id FROM ledger_transfer c WHERE c.reference = t.id AND c.code = 'correction' LIMIT 1)
FROM ledger_transfer t WHERE t.id = $1
