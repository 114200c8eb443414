-- Keys that stand by, sign or still verify, newest first, and those withdrawn, so that a gate can tell "withdrawn" from
-- "unknown".
SELECT id, kid, suite, public, private_sealed, sign_from, sign_to, verify_to, withdrawn_at, purpose
FROM ecards_key
WHERE verify_to IS NULL OR verify_to > now() OR withdrawn_at IS NOT NULL
ORDER BY id DESC
