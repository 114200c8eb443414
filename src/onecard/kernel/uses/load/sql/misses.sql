-- Read-aloud numbers that were nobody's since $1 (the smallest id of that moment): [terminal, how many]. By an index of its own.
SELECT terminal_id, count(*)::int FROM uses_use WHERE verdict = 'NUMBER_UNKNOWN' AND id >= $1 GROUP BY terminal_id
