-- Gives back what a refunded use took besides money. $1 the pass it sold or null, $2 the pass that served it or null, $3
-- whether that pass is as new again, $4 point, $5 rule and $6 period of the capacity it took (point null: none).
WITH returned AS (
    UPDATE entitlements_pass SET given_back = true WHERE id = $1::uuid
), served AS (
    UPDATE entitlements_pass SET uses_left = uses_left + 1, starts_on = CASE WHEN $3::boolean THEN NULL ELSE starts_on END
    WHERE id = $2::uuid
)
UPDATE entitlements_capacity SET used = used - 1
WHERE (point_id, rule, period) = ($4::bigint, $5::text, $6::text) AND used > 0
