-- What is known of the status lists that hold at $1 (timestamptz), without their bodies. A list of a withdrawn key holds no more.
SELECT name, form, number, made_at, kid, digest, etag
FROM ecards_status_list AS list
WHERE expires_at > $1 AND NOT EXISTS (SELECT FROM ecards_key AS key WHERE key.kid = list.kid AND key.withdrawn_at IS NOT NULL)
