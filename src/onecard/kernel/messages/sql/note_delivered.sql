-- A delivery that was taken: $1 delivery. Its endpoint answers.
WITH done AS (
    UPDATE messages_delivery SET state = 'delivered', last_error = '' WHERE id = $1 RETURNING endpoint_id
)
UPDATE messages_endpoint SET failures = 0, rests_until = NULL
WHERE id = (SELECT endpoint_id FROM done) AND (failures > 0 OR rests_until IS NOT NULL)
