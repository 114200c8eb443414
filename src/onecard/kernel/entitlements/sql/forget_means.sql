-- The item's own order holds again for a holder. $1 holder, $2 item.
DELETE FROM entitlements_means WHERE holder_id = $1 AND item = $2
