-- Gives an e-card a number in place of its last one. $1 serial, $2 digest under our key, $3 nonce, $4 when it lapses.
INSERT INTO ecards_number AS n (ecard_id, digest, nonce, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (ecard_id) DO UPDATE SET digest = excluded.digest, nonce = excluded.nonce, expires_at = excluded.expires_at
