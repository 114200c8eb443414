-- Posted debits and credits of each role in each ledger, and how many accounts it has. One snapshot.
SELECT a.ledger, a.role, count(*), sum(coalesce(b.debits_posted, f.debits, 0) + coalesce(since.debits, 0)),
       sum(coalesce(b.free_fen + b.debits_posted + b.debits_pending, f.credits, 0) + coalesce(since.credits, 0))
FROM ledger_account a
LEFT JOIN ledger_balance b ON b.account_id = a.id
LEFT JOIN ledger_fold f ON f.account_id = a.id
LEFT JOIN LATERAL (
    SELECT (SELECT sum(t.amount_fen) FROM ledger_transfer t
            WHERE t.debit_account = a.id AND t.xid >= coalesce(f.xid, '0') AND t.kind IN ('posted', 'post')) AS debits,
           (SELECT sum(t.amount_fen) FROM ledger_transfer t
            WHERE t.credit_account = a.id AND t.xid >= coalesce(f.xid, '0') AND t.kind IN ('posted', 'post')) AS credits
) since ON NOT a.limited
GROUP BY a.ledger, a.role ORDER BY a.ledger, a.role
