-- $1 export.
SELECT id, actor, places, wanted::text, language, asked_at, expires_at, state, position, parts, uses, percent FROM uses_export WHERE id = $1 AND expires_at > now()
