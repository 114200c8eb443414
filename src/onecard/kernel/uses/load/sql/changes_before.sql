-- The latest admitted use of each item by a card before a use of it, as `further.sql` read it then. $1 card, $2 use, $3 when it
-- was, $4 the smallest UUIDv7 of a day before. What had been given back by then does not count. Uses of one millisecond are in
-- the order in which they were shown.
SELECT o.item, extract(epoch FROM max(o.at))::float8 AS at
FROM uses_use o
WHERE o.card_id = $1 AND o.id >= $4 AND o.at <= $3 AND o.verdict = 'ADMITTED' AND o.leg IS DISTINCT FROM 'in'
  AND (left(o.id::text, 13), o.at) < (left($2::uuid::text, 13), $3)
  AND NOT EXISTS (SELECT FROM uses_refund r WHERE r.use_id = o.id AND r.at <= $3)
GROUP BY o.item
