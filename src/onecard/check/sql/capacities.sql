-- What is counted at each point in each period against the admitted uses there, less those given back. A journey takes a place
-- where and when it began, and leaves it when it is given back.
WITH rules AS MATERIALIZED (
    SELECT v.id AS version, v.item_id AS rule,
           left('YYYY-MM-DD', CASE v.declaration -> 'capacity' ->> 'period' WHEN 'day' THEN 10 WHEN 'month' THEN 7 ELSE 4 END) AS written
    FROM catalogue_item_version v WHERE v.declaration -> 'capacity' ->> 'period' IS NOT NULL
), taken AS (
    SELECT u.point_id, r.rule, to_char(u.at AT TIME ZONE 'Asia/Shanghai', r.written) AS period, count(*) AS uses
    FROM rules r
    JOIN uses_use u ON u.item_version_id = r.version AND u.leg IS DISTINCT FROM 'out'
    LEFT JOIN uses_journey j ON j.id = u.id AND u.leg = 'in'
    LEFT JOIN uses_refund b ON b.use_id = coalesce(j.ended_by, u.id)
    WHERE u.verdict = 'ADMITTED' AND b.use_id IS NULL
    GROUP BY 1, 2, 3
)
SELECT count(*) AS checked, count(*) FILTER (WHERE coalesce(c.used, 0) <> coalesce(t.uses, 0)) AS different
FROM taken t FULL JOIN entitlements_capacity c USING (point_id, rule, period)
