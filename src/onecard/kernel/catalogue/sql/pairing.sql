-- The pairing that a code opens, locked. $1 SHA-256 of the code. No row: unknown, used or expired.
SELECT p.id, p.terminal_id, t.code
FROM catalogue_pairing p JOIN catalogue_terminal t ON t.id = p.terminal_id
WHERE p.code_digest = $1 AND p.used_at IS NULL AND p.expires_at > now()
FOR NO KEY UPDATE OF p
