-- Lists whose day is over, with their parts.
DELETE FROM audit_export WHERE expires_at < now() RETURNING id
