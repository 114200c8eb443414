-- E-cards that were closed, for codes that were shown before: serial, the blind index of their card's number, closed in Unix
-- seconds. $1 serials.
SELECT e.serial, s.number_index, extract(epoch FROM e.closed_at)::float8 AS closed_at
FROM unnest($1::int[]) w (serial)
CROSS JOIN LATERAL (
    SELECT o.serial, o.card_id, o.closed_at FROM ecards_ecard o WHERE o.serial = w.serial AND o.closed_at IS NOT NULL OFFSET 0) e
JOIN cards_standing s ON s.card_id = e.card_id
