-- The newest verifications. $1 how many
SELECT id, actor, asked_at, done_at, seals, checked, reached, sealed_to::text, digest, findings::text
FROM audit_verification ORDER BY id DESC LIMIT $1
