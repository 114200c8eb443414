-- The most frequent uses of a day by item and verdict. $1 patterns of divisions (3206%), $2 day, $3 how many
SELECT item, verdict, sum(uses)::bigint FROM uses_day
WHERE day = $2 AND division LIKE ANY ($1::text[]) GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $3
