-- $1 id, $2 who asks, $3 places, $4 what is wanted (JSON text), $5 until when it is kept
INSERT INTO audit_export (id, actor, places, wanted, expires_at) VALUES ($1, $2, $3, $4::jsonb, $5)
