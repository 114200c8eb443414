-- Bring a delivery up again at once: $1 delivery. Its time of trying begins anew, and its endpoint rests no more.
WITH again AS (
    UPDATE messages_delivery SET state = 'waiting', tries = 0, since = now(), next_try_at = now() WHERE id = $1
    RETURNING endpoint_id
)
UPDATE messages_endpoint SET rests_until = NULL
WHERE id = (SELECT endpoint_id FROM again) AND rests_until IS NOT NULL
