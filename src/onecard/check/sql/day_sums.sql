-- Sums of days, as the overview shows them, against the uses of those days: of every day that was over when it was counted. A day
-- is one of China, and a use counts on the day on which it was recorded.
WITH days AS MATERIALIZED (
    SELECT c.day, uuid7_floor(c.day::timestamp AT TIME ZONE 'Asia/Shanghai') AS first,
           uuid7_floor((c.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') AS after
    FROM uses_day_counted c
    WHERE c.counted_at >= (c.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' + interval '2 minutes' AND c.day > now() - interval '400 days'
), counted AS (
    SELECT d.day, u.item, u.verdict, count(*) AS uses FROM days d JOIN uses_use u ON u.id >= d.first AND u.id < d.after GROUP BY 1, 2, 3
), summed AS (
    SELECT day, item, verdict, sum(uses) AS uses FROM uses_day WHERE day IN (SELECT day FROM days) GROUP BY 1, 2, 3
)
SELECT (SELECT count(*) FROM days) AS checked, count(*) FILTER (WHERE c.uses IS DISTINCT FROM s.uses) AS differing
FROM counted c FULL JOIN summed s ON (s.day, s.item, s.verdict) = (c.day, c.item, c.verdict)
