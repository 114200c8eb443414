-- Uses of each day after one, and how many were admitted. $1 patterns of divisions (3206%), $2 day
SELECT day, sum(uses)::bigint, coalesce(sum(uses) FILTER (WHERE verdict = 'ADMITTED'), 0)::bigint FROM uses_day
WHERE day > $2 AND division LIKE ANY ($1::text[]) GROUP BY 1
