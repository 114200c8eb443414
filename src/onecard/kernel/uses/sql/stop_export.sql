-- $1 export
UPDATE uses_export SET state = 'stopped' WHERE id = $1 AND state IN ('waiting', 'running')
