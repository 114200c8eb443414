-- A holder's own orders of ways to pay. $1 holder.
SELECT item, means FROM entitlements_means WHERE holder_id = $1
