-- Brings an order to its end. $1 order, $2 the state the bank was asked in, $3 captured, released or refunded.
UPDATE uses_bank_order SET state = $3, last_error = NULL WHERE id = $1 AND state = $2
