-- $1 actor, $2 verb, $3 subject, $4 place (GB/T 2260 or ''), $5 reason, $6 detail (JSON text)
INSERT INTO audit_fact (actor, verb, subject, place, reason, detail) VALUES ($1, $2, $3, $4, $5, $6::jsonb)
