-- Takes the order that waits longest for the bank, puts its next try off, ever further up to ten minutes, and gives one up
-- that nobody decided on. A refund waits until its payment is captured. No row: none is due.
UPDATE uses_bank_order o SET
       state = CASE WHEN o.state IN ('asked', 'approved') THEN 'releasing' ELSE o.state END,
       tries = o.tries + 1,
       next_try_at = now() + make_interval(secs => least(2 * 2 ^ least(o.tries, 9), 600))
WHERE o.id = (
    SELECT d.id FROM uses_bank_order d
    WHERE d.state IN ('asked', 'approved', 'held', 'releasing', 'due') AND d.next_try_at <= now()
      AND (d.kind = 'payment' OR EXISTS (SELECT FROM uses_bank_order p WHERE p.id = d.payment_id AND p.state = 'captured'))
    ORDER BY d.next_try_at LIMIT 1
    FOR UPDATE OF d SKIP LOCKED
)
RETURNING o.id, o.state, o.payment_id, o.amount_fen
