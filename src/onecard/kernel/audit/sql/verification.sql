-- $1 verification
SELECT id, actor, asked_at, done_at, seals, checked, reached, sealed_to::text, digest, findings::text
FROM audit_verification WHERE id = $1
