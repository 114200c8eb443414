-- $1 export, $2 the fact it begins with, $3 the next part begins before this id, $4 parts, $5 facts, $6 percent, $7 state. One
-- that was stopped meanwhile stays so.
UPDATE audit_export SET newest = $2, position = $3, parts = $4, facts = $5, percent = $6, state = $7
WHERE id = $1 AND state IN ('waiting', 'running')
