-- Uses up a pairing, with whatever other codes its terminal was given, and gives its terminal a new key; the old one stays good for a day, for journals on their way.
-- $1 pairing, $2 terminal, $3 the key, sealed, $4 its algorithm. Returns the new key's id.
WITH used AS (
    UPDATE catalogue_pairing SET used_at = now() WHERE id = $1 OR terminal_id = $2 AND used_at IS NULL
), retired AS (
    UPDATE catalogue_terminal_key SET valid_to = now() + interval '1 day'
    WHERE terminal_id = $2 AND valid_to IS NULL
)
INSERT INTO catalogue_terminal_key (terminal_id, key_sealed, algorithm) VALUES ($2, $3, $4) RETURNING id
