-- A device fetched something. $1 its id. Written once in ten minutes at most, however often it asks.
UPDATE ecards_device SET last_used_at = now()
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '10 minutes')
