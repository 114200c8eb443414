-- Of the cards $1 (ids int[]), those whose standing changed since $2 (timestamptz).
SELECT w.card_id
FROM unnest($1::int[]) w (card_id)
WHERE EXISTS (SELECT FROM cards_standing c WHERE c.card_id = w.card_id AND c.updated_at >= $2)
