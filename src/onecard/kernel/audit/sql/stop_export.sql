-- $1 export
UPDATE audit_export SET state = 'stopped' WHERE id = $1 AND state IN ('waiting', 'running')
