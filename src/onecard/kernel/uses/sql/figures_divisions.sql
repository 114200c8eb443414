-- $1 prefixes of divisions
SELECT division, holders, ecards, states::text, counted_at FROM uses_division
WHERE EXISTS (SELECT FROM unnest($1::text[]) w (place) WHERE starts_with(division, w.place)) ORDER BY division
