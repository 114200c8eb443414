-- A refund gives back exactly what its use moved: between each two accounts the transfers of the use and of the refund cancel
-- out, one for one. A correction takes one transfer back, once.
WITH given_back AS (SELECT use_id FROM uses_refund),
pairs AS (
    SELECT t.reference, least(t.debit_account, t.credit_account), greatest(t.debit_account, t.credit_account),
           sum(CASE WHEN t.debit_account < t.credit_account THEN t.amount_fen ELSE -t.amount_fen END) AS fen,
           count(*) FILTER (WHERE t.code = 'refund') AS back, count(*) FILTER (WHERE t.code <> 'refund') AS forth
    FROM ledger_transfer t JOIN given_back g ON g.use_id = t.reference
    WHERE t.code IN ('paid', 'concession', 'shortfall', 'refund') GROUP BY 1, 2, 3
), corrections AS (SELECT * FROM ledger_transfer WHERE code = 'correction' AND reference IS NOT NULL)
SELECT (SELECT count(*) FROM given_back) AS checked,
       (SELECT count(*) FROM pairs WHERE fen <> 0 OR back <> forth) AS not_reversed,
       (SELECT count(*) FROM ledger_transfer t LEFT JOIN given_back g ON g.use_id = t.reference
        WHERE t.code = 'refund' AND g.use_id IS NULL) AS without_refund,
       (SELECT count(*) FROM given_back g LEFT JOIN uses_use u ON u.id = g.use_id
        LEFT JOIN uses_offline_line l ON l.use_id = g.use_id
        WHERE u.verdict IS DISTINCT FROM 'ADMITTED' AND l.stood_full_fen IS NULL) AS of_no_admitted_use,
       (SELECT count(*) FROM corrections c LEFT JOIN ledger_transfer t ON t.id = c.reference
        WHERE (c.debit_account, c.credit_account, c.amount_fen) IS DISTINCT FROM (t.credit_account, t.debit_account, t.amount_fen)
       ) AS corrections_different,
       (SELECT count(*) FROM (SELECT reference FROM corrections GROUP BY reference HAVING count(*) > 1) twice) AS corrected_twice
