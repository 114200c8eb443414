-- What funders gave and what of it came back: $1 accounts of funders, $2 from this id, $3 before this one. A row for each funder
-- and who got it, all holders as one (null); ids tell the time, so only the partitions of the period are read.
SELECT w.account, CASE WHEN p.owner NOT LIKE 'holder:%' THEN t.other END, sum(t.uses)::bigint, sum(t.fen)::bigint, sum(t.back)::bigint, sum(t.back_fen)::bigint
FROM unnest($1::bigint[]) w (account)
CROSS JOIN LATERAL (
    SELECT credit_account AS other, count(*) AS uses, sum(amount_fen) AS fen, 0 AS back, 0 AS back_fen
    FROM ledger_transfer g
    WHERE g.debit_account = w.account AND g.code = 'concession' AND g.kind = 'posted' AND g.id >= $2 AND g.id < $3
    GROUP BY 1
    UNION ALL
    SELECT debit_account, 0, 0, count(*), sum(amount_fen)
    FROM ledger_transfer b
    WHERE b.credit_account = w.account AND b.code = 'refund' AND b.kind = 'posted' AND b.id >= $2 AND b.id < $3
    GROUP BY 1
) t
JOIN ledger_account p ON p.id = t.other
GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2
