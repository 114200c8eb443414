-- Tell a receiver: $1 receiver, $2 kind, $3 subject, $4 data (JSON text), $5 the message's id, $6 one of its
-- endpoints, or null for all. Nothing is written where none of them wants it. Returns for how many endpoints it is.
WITH wanted AS (
    SELECT id FROM messages_endpoint WHERE receiver = $1 AND state = 'active' AND kinds @> ARRAY[$2]
      AND ($6::bigint IS NULL OR id = $6)
), message AS (
    INSERT INTO messages_message (id, receiver, kind, subject, data)
    SELECT $5, $1, $2, $3, $4::jsonb WHERE EXISTS (SELECT FROM wanted)
    RETURNING id
), told AS (
    INSERT INTO messages_delivery (message_id, endpoint_id) SELECT message.id, wanted.id FROM message, wanted
    RETURNING 1
)
SELECT count(*) FROM told
