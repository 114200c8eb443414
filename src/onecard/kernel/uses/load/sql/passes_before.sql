-- The passes of a holder that some items sold, and the uses that each served: [[use, when, whether it started the pass, when
-- it was given back, all in Unix seconds], …]. A pass that was given back is read only where it served the use $3, since
-- nothing else could have come of it. $1 holder, $2 items.
SELECT p.id, p.item, p.activate_by, p.lasts_days, p.starts_on, p.uses_left, (
    SELECT jsonb_agg(jsonb_build_array(x.use_id, extract(epoch FROM u.at), x.started, extract(epoch FROM r.at)))
    FROM entitlements_pass_use x
    JOIN uses_use u ON u.id = x.use_id
    LEFT JOIN uses_refund r ON r.use_id = x.use_id
    WHERE x.pass_id = p.id)::text AS served
FROM (
    SELECT o.id FROM entitlements_pass o WHERE o.holder_id = $1 AND NOT o.given_back AND o.item = ANY ($2::text[])
    UNION
    SELECT x.pass_id FROM entitlements_pass_use x WHERE x.use_id = $3) w
JOIN entitlements_pass p ON p.id = w.id
