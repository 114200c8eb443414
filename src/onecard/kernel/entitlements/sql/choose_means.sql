-- Keeps a holder's order of ways to pay for an item. $1 holder, $2 item, $3 means in order.
INSERT INTO entitlements_means (holder_id, item, means) VALUES ($1, $2, $3)
ON CONFLICT (holder_id, item) DO UPDATE SET means = excluded.means
