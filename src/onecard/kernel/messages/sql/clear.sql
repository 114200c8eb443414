-- Delete messages of more than $1 days ago that no active endpoint waits for, with their deliveries; how many.
WITH old AS (
    SELECT m.id FROM messages_message m
    WHERE m.at < now() - make_interval(days => $1)
      AND NOT EXISTS (
          SELECT FROM messages_delivery d JOIN messages_endpoint e ON e.id = d.endpoint_id
          WHERE d.message_id = m.id AND d.state = 'waiting' AND e.state = 'active')
), deliveries AS (
    DELETE FROM messages_delivery d USING old WHERE d.message_id = old.id
), messages AS (
    DELETE FROM messages_message m USING old WHERE m.id = old.id RETURNING 1
)
SELECT count(*) FROM messages
