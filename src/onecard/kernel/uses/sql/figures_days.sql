-- Uses after a day, by day, item and verdict. $1 prefixes of divisions, $2 day
SELECT day, item, verdict, sum(uses)::bigint FROM uses_day
WHERE day > $2 AND EXISTS (SELECT FROM unnest($1::text[]) w (place) WHERE starts_with(division, w.place))
GROUP BY 1, 2, 3 ORDER BY 1, 2, 4 DESC, 3
