-- $1 export
SELECT id, actor, places, wanted::text, asked_at, expires_at, state, newest, position, parts, facts, percent
FROM audit_export WHERE id = $1 AND expires_at > now()
