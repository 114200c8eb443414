-- What holders owe for what gates let pass: holder_id, account, owed_fen; below zero is what was given back too much. An account has
-- few transfers, and no limit, so they are summed. $1 holders.
SELECT w.holder_id, a.id AS account,
       ((SELECT coalesce(sum(t.amount_fen), 0) FROM ledger_transfer t WHERE t.debit_account = a.id)
        - (SELECT coalesce(sum(t.amount_fen), 0) FROM ledger_transfer t WHERE t.credit_account = a.id))::bigint AS owed_fen
FROM unnest($1::bigint[]) w (holder_id)
CROSS JOIN LATERAL (
    SELECT id FROM ledger_account l WHERE (l.owner, l.role, l.ledger) = ('holder:' || w.holder_id, 'holder.debt', 'purse') OFFSET 0) a
