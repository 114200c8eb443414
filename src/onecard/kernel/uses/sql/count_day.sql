-- Counts the uses of a day anew. $1 day, $2 its first id, $3 the first id after it. The ids tell the time, so one partition is read.
WITH gone AS (
    DELETE FROM uses_day WHERE day = $1
), counted AS (
    SELECT p.division, u.item, u.verdict, count(*) AS uses
    FROM uses_use u JOIN catalogue_point p ON p.id = u.point_id
    WHERE u.id >= $2 AND u.id < $3 GROUP BY 1, 2, 3
), told AS (
    INSERT INTO uses_day_counted (day) VALUES ($1) ON CONFLICT (day) DO UPDATE SET counted_at = now()
)
SELECT division, item, verdict, uses FROM counted
