-- Notes why a try at an order failed. $1 order, $2 why.
UPDATE uses_bank_order SET last_error = $2 WHERE id = $1
