-- Lists whose day is over, with their parts.
DELETE FROM uses_export WHERE expires_at < now() RETURNING id
