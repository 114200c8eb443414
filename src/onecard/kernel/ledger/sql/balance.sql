-- What an account holds, in one snapshot. $1 account id. An account with a limit has its row; one without has its last
-- fold, and the transfers of transactions from there on: whatever writers do meanwhile, each transfer counts once.
SELECT a.limited, b.debits_posted, b.free_fen + b.debits_posted + b.debits_pending, b.debits_pending, b.credits_pending
FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id WHERE a.id = $1 AND a.limited
UNION ALL
SELECT a.limited, (coalesce(f.debits, 0) + d.fen)::bigint, (coalesce(f.credits, 0) + c.fen)::bigint, h.debits, h.credits
FROM ledger_account a
LEFT JOIN ledger_fold f ON f.account_id = a.id
CROSS JOIN LATERAL (SELECT coalesce(sum(t.amount_fen), 0) AS fen FROM ledger_transfer t
    WHERE t.debit_account = a.id AND t.xid >= coalesce(f.xid, '0') AND t.kind IN ('posted', 'post')) d
CROSS JOIN LATERAL (SELECT coalesce(sum(t.amount_fen), 0) AS fen FROM ledger_transfer t
    WHERE t.credit_account = a.id AND t.xid >= coalesce(f.xid, '0') AND t.kind IN ('posted', 'post')) c
CROSS JOIN LATERAL (SELECT coalesce(sum(t.amount_fen) FILTER (WHERE t.debit_account = a.id), 0)::bigint AS debits,
                           coalesce(sum(t.amount_fen) FILTER (WHERE t.credit_account = a.id), 0)::bigint AS credits
    FROM ledger_hold JOIN ledger_transfer t ON t.id = ledger_hold.id WHERE a.id IN (t.debit_account, t.credit_account)) h
WHERE a.id = $1 AND NOT a.limited
