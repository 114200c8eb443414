INSERT INTO cards_function (card_id, function, state)
SELECT c.id, f, CASE c.state WHEN 'cancelled' THEN 'closed' WHEN 'inactive' THEN 'inactive' ELSE 'active' END
FROM cards_card c CROSS JOIN unnest(ARRAY['social_security', 'financial', 'transit']) f WHERE c.holder_id >= $1
