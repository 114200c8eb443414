-- Put a list in the place of the one before. $1 date, $2 form, $3 number, $4 and $5 made and expires, $6 kid, $7 digest, $8 etag,
-- $9 body.
INSERT INTO ecards_status_list (day, form, number, made_at, expires_at, kid, digest, etag, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (day, form) DO UPDATE
SET number = excluded.number, made_at = excluded.made_at, expires_at = excluded.expires_at, kid = excluded.kid,
    digest = excluded.digest, etag = excluded.etag, body = excluded.body
