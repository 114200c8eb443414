-- What the bank took and gave back against the ledger: a payment that a use stands on has the transfer that says so, in the
-- ledger of banks, from the bank's account and for as much; so has a refund. None waits for the bank for a day.
WITH ordered AS (SELECT * FROM uses_bank_order WHERE kind = 'refund' OR state IN ('held', 'captured')),
moved AS (
    SELECT t.reference, t.amount_fen, 'payment' AS kind, d.owner
    FROM ledger_account d JOIN ledger_transfer t ON t.debit_account = d.id
    WHERE d.role = 'bank.settlement' AND t.code = 'paid' AND t.kind = 'posted'
    UNION ALL
    SELECT t.reference, t.amount_fen, 'refund', c.owner
    FROM ledger_account c JOIN ledger_transfer t ON t.credit_account = c.id
    WHERE c.role = 'bank.settlement' AND t.code = 'refund' AND t.kind = 'posted'
)
SELECT (SELECT count(*) FROM uses_bank_order) AS checked,
       count(*) FILTER (WHERE m.kind IS NULL) AS without_transfer,
       count(*) FILTER (WHERE o.id IS NULL) AS without_order,
       count(*) FILTER (WHERE (m.amount_fen, m.owner) <> (o.amount_fen, 'party:' || o.bank_id)) AS different,
       (SELECT count(*) FROM ordered p JOIN ordered r ON r.payment_id = p.id
        WHERE r.amount_fen > p.amount_fen OR r.use_id <> p.use_id OR (r.state = 'refunded' AND p.state <> 'captured')) AS wrong_refunds,
       (SELECT count(*) FROM ordered o LEFT JOIN uses_use u ON u.id = o.use_id
        WHERE u.verdict IS DISTINCT FROM 'ADMITTED' OR u.card_id <> o.card_id) AS of_no_admitted_use,
       (SELECT count(*) FROM uses_bank_order
        WHERE state IN ('asked', 'approved', 'held', 'releasing', 'due') AND asked_at < now() - interval '1 day') AS a_day_old
FROM ordered o FULL JOIN moved m ON m.reference = o.use_id AND m.kind = o.kind
