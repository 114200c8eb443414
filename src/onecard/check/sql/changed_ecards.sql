-- Of the e-cards $1 (serials int[]), those whose standing or opening changed since $2 (timestamptz).
SELECT w.serial
FROM unnest($1::int[]) w (serial)
WHERE EXISTS (SELECT FROM cards_standing c WHERE c.ecard_serial = w.serial AND c.updated_at >= $2)
   OR EXISTS (SELECT FROM ecards_ecard e WHERE e.serial = w.serial AND greatest(e.signed_at, e.closed_at) >= $2)
