-- Each ledger sums to zero, by stored balances, folds and what came after them; no transfer crosses ledgers. A transfer of a
-- transaction that has not begun yet was restored from another server: its folds would count wrongly.
WITH before AS (
    SELECT account, sum(debit) AS debits, sum(credit) AS credits, sum(early_debit) AS early_debits, sum(early_credit) AS early_credits
    FROM (
        SELECT a.id, t.amount_fen, 0, CASE WHEN t.xid < f.xid THEN t.amount_fen ELSE 0 END, 0
        FROM ledger_account a JOIN ledger_transfer t ON t.debit_account = a.id LEFT JOIN ledger_fold f ON f.account_id = a.id
        WHERE NOT a.limited AND t.kind IN ('posted', 'post')
        UNION ALL
        SELECT a.id, 0, t.amount_fen, 0, CASE WHEN t.xid < f.xid THEN t.amount_fen ELSE 0 END
        FROM ledger_account a JOIN ledger_transfer t ON t.credit_account = a.id LEFT JOIN ledger_fold f ON f.account_id = a.id
        WHERE NOT a.limited AND t.kind IN ('posted', 'post')
    ) s (account, debit, credit, early_debit, early_credit) GROUP BY account
), held AS (
    SELECT a.ledger, sum(CASE WHEN a.limited THEN b.free_fen + b.debits_pending
        ELSE coalesce(f.credits - f.debits, 0) + coalesce(s.credits - s.early_credits - s.debits + s.early_debits, 0) END) AS fen
    FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN ledger_fold f ON f.account_id = a.id
    LEFT JOIN before s ON s.account = a.id
    GROUP BY a.ledger
)
SELECT (SELECT count(*) FROM ledger_transfer) AS checked,
       (SELECT count(*) FROM held WHERE fen <> 0) AS ledgers_not_zero,
       (SELECT count(*) FROM ledger_fold f LEFT JOIN before s ON s.account = f.account_id
        WHERE (f.debits, f.credits) IS DISTINCT FROM (coalesce(s.early_debits, 0), coalesce(s.early_credits, 0))) AS folds_different,
       (SELECT count(*) FROM ledger_transfer t LEFT JOIN ledger_account d ON d.id = t.debit_account
            LEFT JOIN ledger_account c ON c.id = t.credit_account WHERE (d.ledger = c.ledger) IS NOT TRUE) AS across_ledgers,
       (SELECT count(*) FROM ledger_transfer WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())) AS from_future
