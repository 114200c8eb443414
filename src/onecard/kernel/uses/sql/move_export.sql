-- $1 export, $2 the next part begins before this id, $3 parts, $4 uses, $5 percent, $6 state. One that was stopped meanwhile stays so.
UPDATE uses_export SET position = $2, parts = $3, uses = $4, percent = $5, state = $6
WHERE id = $1 AND state IN ('waiting', 'running')
