-- Lets a journey end at which nobody travelled: whoever began it was turned away. $1 its id.
UPDATE uses_journey SET ended_at = now(), given_back = true WHERE id = $1 AND ended_at IS NULL
