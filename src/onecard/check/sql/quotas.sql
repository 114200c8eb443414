-- Quotas of the running day, month and year against the admitted uses that count, less those given back. A quota below its
-- uses lets someone ride too often; one above may come from elsewhere and is only told. What a gate without a line admitted and the
-- platform would not have need not count. A journey counts where it began, and is
-- given back with its end. What a day's cap has seen paid is counted in fen, where a journey ended.
WITH rules AS MATERIALIZED (
    SELECT v.id AS version, NULL::text AS key, v.item_id AS rule, v.declaration -> 'limit' ->> 'period' AS period
    FROM catalogue_item_version v WHERE v.declaration -> 'limit' ->> 'period' IS NOT NULL
    UNION ALL
    SELECT v.id, c ->> 'key', v.item_id || '/' || (c ->> 'key'), max(c -> 'quota' ->> 'period')
    FROM catalogue_item_version v, jsonb_array_elements(v.declaration -> 'concession') c
    GROUP BY 1, 2, 3 HAVING bool_and(c -> 'quota' ->> 'period' IS NOT NULL)
), running AS MATERIALIZED (
    SELECT *, date_trunc(period, now() AT TIME ZONE 'Asia/Shanghai')::date AS first_day,
           to_char(now() AT TIME ZONE 'Asia/Shanghai', left('YYYY-MM-DD', CASE period WHEN 'day' THEN 10 WHEN 'month' THEN 7 ELSE 4 END)) AS running
    FROM rules
), today AS (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS day
), counted AS (
    SELECT s.holder_id, r.rule, r.running, count(*) AS uses
    FROM running r
    JOIN uses_use u ON u.item_version_id = r.version AND (r.key IS NULL OR r.key = u.concession)
        AND u.leg IS DISTINCT FROM 'out'
    JOIN cards_standing s ON s.card_id = u.card_id
    LEFT JOIN uses_journey j ON j.id = u.id AND u.leg = 'in'
    LEFT JOIN uses_refund b ON b.use_id = coalesce(j.ended_by, u.id)
    LEFT JOIN uses_offline_line l ON l.use_id = u.id
    WHERE u.verdict = 'ADMITTED' AND coalesce(l.verdict, 'ADMITTED') = 'ADMITTED' AND b.use_id IS NULL AND (u.at AT TIME ZONE 'Asia/Shanghai')::date >= r.first_day
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT s.holder_id, v.item_id || '#fen', to_char(t.day, 'YYYY-MM-DD'), sum(u.paid_fen)
    FROM today t
    CROSS JOIN catalogue_item_version v
    JOIN uses_use u ON u.item_version_id = v.id AND u.leg IS DISTINCT FROM 'in' AND (u.at AT TIME ZONE 'Asia/Shanghai')::date = t.day
    JOIN cards_standing s ON s.card_id = u.card_id
    LEFT JOIN uses_refund b ON b.use_id = u.id
    WHERE u.verdict = 'ADMITTED' AND b.use_id IS NULL AND v.declaration ->> 'day_cap_fen' IS NOT NULL
    GROUP BY 1, 2, 3
)
SELECT count(*) AS checked, count(*) FILTER (WHERE coalesce(q.used, 0) < c.uses) AS below_uses
FROM counted c LEFT JOIN entitlements_quota q ON (q.holder_id, q.rule, q.period) = (c.holder_id, c.rule, c.running)
