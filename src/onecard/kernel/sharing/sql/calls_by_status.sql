-- Calls of client $1 with ids from $2 to below $3 that were answered with status $5, the newest first, $4 at most.
SELECT client_id, id, credential, method, operation, status, code, took_ms
FROM sharing_call WHERE client_id = $1 AND status = $5 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4
