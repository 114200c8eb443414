-- Locks the pass that served a use and the one it sold, in id order. $1 use, $2 the id of what it would have sold.
SELECT FROM entitlements_pass
WHERE id = ANY (ARRAY[$2::uuid, (SELECT pass_id FROM entitlements_pass_use WHERE use_id = $1)])
ORDER BY id FOR NO KEY UPDATE
