-- Every pending transfer is open or resolved once, for at most its amount, between its accounts. Only what resolves names one,
-- and only a pending one runs out.
WITH resolving AS (SELECT * FROM ledger_transfer WHERE kind IN ('post', 'void', 'expire')),
     held AS (SELECT * FROM ledger_transfer WHERE kind = 'pending')
SELECT (SELECT count(*) FROM held) AS checked,
       (SELECT count(*) FROM ledger_resolution r FULL JOIN resolving t ON t.id = r.transfer_id
        WHERE r.pending_id IS DISTINCT FROM t.pending_id) AS without_pair,
       (SELECT count(*) FROM (SELECT pending_id FROM resolving GROUP BY pending_id HAVING count(*) > 1) twice) AS resolved_twice,
       (SELECT count(*) FROM resolving t LEFT JOIN held h ON h.id = t.pending_id
        WHERE (h.debit_account = t.debit_account AND h.credit_account = t.credit_account
               AND (t.amount_fen = h.amount_fen OR t.kind = 'post' AND t.amount_fen < h.amount_fen)) IS NOT TRUE) AS not_as_held,
       (SELECT count(*) FROM ledger_hold o
        FULL JOIN (SELECT h.id FROM held h LEFT JOIN ledger_resolution r ON r.pending_id = h.id WHERE r.pending_id IS NULL) h ON h.id = o.id
        WHERE o.id IS NULL OR h.id IS NULL) AS open_different,
       (SELECT count(*) FROM ledger_transfer WHERE (kind IN ('post', 'void', 'expire')) <> (pending_id IS NOT NULL)
            OR expires_at IS NOT NULL AND kind <> 'pending') AS misshapen
