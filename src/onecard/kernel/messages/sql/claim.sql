-- Claim deliveries that are due: $1 how many of each endpoint at most, $2 how long they are ours, in seconds, $3 how many in all:
-- each endpoint's first before anybody's second, so that many at one keep no other waiting. Whoever is killed with one leaves it to
-- the next after that. Endpoints that rest, and rows that another worker holds, are passed over.
WITH ripe AS (
    SELECT d.id, d.endpoint_id, d.next_try_at
    FROM messages_endpoint e
    CROSS JOIN LATERAL (
        SELECT o.id, o.endpoint_id, o.next_try_at FROM messages_delivery o
        WHERE o.endpoint_id = e.id AND o.state = 'waiting' AND o.next_try_at <= now()
        ORDER BY o.next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED) d
    WHERE e.state = 'active' AND (e.rests_until IS NULL OR e.rests_until <= now())
), placed AS (
    SELECT id, next_try_at, row_number() OVER (PARTITION BY endpoint_id ORDER BY next_try_at, id) AS place FROM ripe
), due AS (
    SELECT id FROM placed ORDER BY place, next_try_at LIMIT $3
), claimed AS (
    UPDATE messages_delivery d
    SET tries = d.tries + 1, tried_at = now(), next_try_at = now() + make_interval(secs => $2)
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.message_id, d.endpoint_id, d.tries
)
SELECT c.id, c.tries, m.id, m.at, m.receiver, m.kind, m.subject, m.data::text, e.id, e.url, e.key_number,
       e.older_to IS NOT NULL AND e.older_to > now()
FROM claimed c JOIN messages_message m ON m.id = c.message_id JOIN messages_endpoint e ON e.id = c.endpoint_id
ORDER BY c.id
