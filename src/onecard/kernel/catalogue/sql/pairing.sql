-- The pairing that a code opens, locked with the others that are open for its terminal: one of two at once finds it used. $1 SHA-256
-- of the code. No row: unknown, used or expired, or the terminal was given another since.
WITH open AS (
    SELECT p.id, p.terminal_id, p.code_digest, p.expires_at
    FROM catalogue_pairing p
    WHERE p.used_at IS NULL AND p.terminal_id = (SELECT terminal_id FROM catalogue_pairing WHERE code_digest = $1)
    ORDER BY p.id FOR NO KEY UPDATE
)
SELECT open.id, open.terminal_id, t.code
FROM open JOIN catalogue_terminal t ON t.id = open.terminal_id
WHERE open.code_digest = $1 AND open.expires_at > now() AND open.id = (SELECT max(id) FROM open)
