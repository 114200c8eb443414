-- $1 verification, $2 checked, $3 reached, $4 its last transaction id, $5 its digest, $6 findings (JSON text), $7 whether it is done
UPDATE audit_verification
SET checked = $2, reached = $3, sealed_to = $4::xid8, digest = $5, findings = $6::jsonb, done_at = CASE WHEN $7 THEN now() END
WHERE id = $1
