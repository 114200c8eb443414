-- Notes on an order what the bank said. $1 order, $2 approved, refused or releasing, $3 return code or null, $4 after how many
-- seconds an approved one counts as given up. No row: the order was given up meanwhile.
UPDATE uses_bank_order SET state = $2, last_error = $3,
       answered_at = CASE WHEN $2 <> 'releasing' THEN now() END,
       next_try_at = CASE $2 WHEN 'approved' THEN now() + make_interval(secs => $4::int) ELSE now() END
WHERE id = $1 AND state = 'asked' RETURNING state
