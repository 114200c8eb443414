-- Stored balances against the sums of transfers. What is held is the pending transfers without a resolution.
WITH moved AS (
    SELECT account, sum(debit_posted) AS debits_posted, sum(credit_posted) AS credits_posted,
           sum(debit_held) AS debits_held, sum(credit_held) AS credits_held
    FROM (
        SELECT t.debit_account, CASE WHEN t.kind IN ('posted', 'post') THEN t.amount_fen ELSE 0 END, 0,
               CASE WHEN t.kind = 'pending' AND r.pending_id IS NULL THEN t.amount_fen ELSE 0 END, 0
        FROM ledger_transfer t LEFT JOIN ledger_resolution r ON r.pending_id = t.id
        UNION ALL
        SELECT t.credit_account, 0, CASE WHEN t.kind IN ('posted', 'post') THEN t.amount_fen ELSE 0 END, 0,
               CASE WHEN t.kind = 'pending' AND r.pending_id IS NULL THEN t.amount_fen ELSE 0 END
        FROM ledger_transfer t LEFT JOIN ledger_resolution r ON r.pending_id = t.id
    ) s (account, debit_posted, credit_posted, debit_held, credit_held) GROUP BY account
)
SELECT count(*) FILTER (WHERE a.limited) AS checked,
       count(*) FILTER (WHERE b.account_id IS NOT NULL
           AND (b.debits_posted, b.free_fen + b.debits_posted + b.debits_pending, b.debits_pending, b.credits_pending)
           IS DISTINCT FROM (coalesce(m.debits_posted, 0)::bigint, coalesce(m.credits_posted, 0)::bigint,
                             coalesce(m.debits_held, 0)::bigint, coalesce(m.credits_held, 0)::bigint)) AS different,
       count(*) FILTER (WHERE a.limited <> (b.account_id IS NOT NULL)) AS missing_or_extra,
       count(*) FILTER (WHERE b.free_fen < 0) AS below_zero,
       count(*) FILTER (WHERE b.room_fen < 0) AS above_ceiling,
       count(*) FILTER (WHERE b.account_id IS NOT NULL
           AND b.room_fen + b.free_fen + b.debits_pending + b.credits_pending IS DISTINCT FROM a.ceiling_fen) AS other_ceiling,
       count(*) FILTER (WHERE b.account_id IS NOT NULL
           AND b.ledger IS DISTINCT FROM CASE WHEN a.closed_at IS NULL THEN a.ledger END) AS other_ledger
FROM ledger_account a
LEFT JOIN ledger_balance b ON b.account_id = a.id
LEFT JOIN moved m ON m.account = a.id
