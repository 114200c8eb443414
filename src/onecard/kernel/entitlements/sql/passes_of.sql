-- The passes of a holder that were not given back, the newest first. $1 holder, $2 how many.
SELECT p.item, p.sold_on, p.activate_by, p.lasts_days, p.starts_on, p.uses, p.uses_left
FROM entitlements_pass p WHERE p.holder_id = $1 AND NOT p.given_back ORDER BY p.sold_on DESC, p.id DESC LIMIT $2
