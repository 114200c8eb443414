-- No use will stand on an order: what the bank may hold for it is to be let go. $1 order. Nothing happens to one that a use
-- stands on, or that is at its end.
UPDATE uses_bank_order SET state = 'releasing', next_try_at = now() WHERE id = $1 AND state IN ('asked', 'approved')
