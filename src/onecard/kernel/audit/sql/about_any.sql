-- Facts about any of some subjects, newest first. $1 subjects, $2 patterns of verbs (cards.%), $3 the last id of the page before
-- or null, $4 how many. Each subject gives its own newest ones by its index.
SELECT f.id, f.at, f.actor, f.verb, f.subject, f.reason, f.detail::text
FROM unnest($1::text[]) w (subject)
CROSS JOIN LATERAL (
    SELECT * FROM audit_fact a
    WHERE a.subject = w.subject AND a.verb LIKE ANY ($2::text[]) AND ($3::bigint IS NULL OR a.id < $3)
    ORDER BY a.id DESC LIMIT $4) f
ORDER BY f.id DESC LIMIT $4
