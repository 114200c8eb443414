-- Facts of one verb about many subjects. $1 actor, $2 verb, $3 place (GB/T 2260 or ''), $4 reason, $5 subjects, $6 their details
-- (JSON texts)
INSERT INTO audit_fact (actor, verb, subject, place, reason, detail)
SELECT $1, $2, w.subject, $3, $4, w.detail::jsonb FROM unnest($5::text[], $6::text[]) w (subject, detail)
