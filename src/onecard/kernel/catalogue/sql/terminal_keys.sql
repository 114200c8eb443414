-- All keys that a terminal ever had, to check lines it wrote down at the time. $1 its id.
SELECT id, key_sealed, algorithm, extract(epoch FROM valid_to)::float8 AS good_to
FROM catalogue_terminal_key WHERE terminal_id = $1
