-- $1 patterns of divisions (3206%)
SELECT division, holders, ecards, states::text, counted_at FROM uses_division
WHERE division LIKE ANY ($1::text[]) ORDER BY division
