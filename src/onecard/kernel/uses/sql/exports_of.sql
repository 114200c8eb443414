-- $1 who asked, $2 how many.
SELECT id, actor, places, wanted::text, language, asked_at, expires_at, state, position, parts, uses, percent FROM uses_export
WHERE actor = $1 AND expires_at > now() ORDER BY id DESC LIMIT $2
