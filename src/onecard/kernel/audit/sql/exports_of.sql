-- $1 who asked, $2 how many
SELECT id, actor, places, wanted::text, asked_at, expires_at, state, newest, position, parts, facts, percent
FROM audit_export WHERE actor = $1 AND expires_at > now() ORDER BY id DESC LIMIT $2
