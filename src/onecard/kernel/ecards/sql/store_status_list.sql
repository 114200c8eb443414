-- Put a list in the place of the one before. $1 name, $2 day or null, $3 form, $4 number, $5 and $6 made and expires, $7 kid,
-- $8 digest, $9 etag, $10 body.
INSERT INTO ecards_status_list (name, day, form, number, made_at, expires_at, kid, digest, etag, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (name, form) DO UPDATE
SET number = excluded.number, made_at = excluded.made_at, expires_at = excluded.expires_at, kid = excluded.kid,
    digest = excluded.digest, etag = excluded.etag, body = excluded.body
