-- Holds that ran out, the longest ago first. $1 at most so many.
SELECT id FROM ledger_hold WHERE expires_at <= now() ORDER BY expires_at, id LIMIT $1
