-- All keys that ever signed, to judge what was shown days ago; moments in Unix seconds.
SELECT kid, suite, public, purpose, extract(epoch FROM least(withdrawn_at, verify_to))::float8 AS good_to
FROM ecards_key
