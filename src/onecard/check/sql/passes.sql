-- Passes against the uses they served and the use that sold each, beside whose id theirs lies (by 3). What is left and what
-- stands make up what was sold; a pass is in use from the day of the latest use that started it, as long as one stands.
WITH served AS (
    SELECT x.pass_id, count(*) FILTER (WHERE r.use_id IS NULL) AS standing, max(u.at) FILTER (WHERE x.started) AS started_at,
           count(*) FILTER (WHERE u.verdict IS DISTINCT FROM 'ADMITTED') AS not_admitted
    FROM entitlements_pass_use x
    LEFT JOIN uses_use u ON u.id = x.use_id
    LEFT JOIN uses_refund r ON r.use_id = x.use_id
    GROUP BY 1
), passes AS (
    SELECT p.*, coalesce(s.standing, 0) AS standing, coalesce(s.not_admitted, 0) AS not_admitted,
           least((s.started_at AT TIME ZONE 'Asia/Shanghai')::date, p.activate_by + 1) AS started_on,
           overlay(replace(p.id::text, '-', '') PLACING
                   to_hex(('x' || right(replace(p.id::text, '-', ''), 16))::bit(64)::bigint - 3) FROM 17)::uuid AS sale
    FROM entitlements_pass p LEFT JOIN served s ON s.pass_id = p.id
)
SELECT count(*) AS checked,
       count(*) FILTER (WHERE p.uses_left NOT BETWEEN 0 AND p.uses) AS uses_left_outside,
       count(*) FILTER (WHERE p.uses_left + p.standing IS DISTINCT FROM p.uses) AS uses_left_different,
       count(*) FILTER (WHERE (p.starts_on IS NOT NULL) <> (p.standing > 0) OR p.starts_on <> p.started_on) AS start_different,
       count(*) FILTER (WHERE (u.verdict = 'ADMITTED' AND u.item = p.item) IS NOT TRUE) AS of_no_sale,
       count(*) FILTER (WHERE p.given_back <> (r.use_id IS NOT NULL)) AS given_back_different,
       count(*) FILTER (WHERE p.given_back AND p.standing > 0) AS given_back_in_use,
       coalesce(sum(p.not_admitted), 0)::bigint AS of_no_admitted_use
FROM passes p
LEFT JOIN uses_use u ON u.id = p.sale
LEFT JOIN uses_refund r ON r.use_id = p.sale
