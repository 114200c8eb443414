-- The last use of the next batch: $1 the last one looked at, $2 the smallest id that is too new, $3 how many at once.
SELECT id FROM (SELECT id FROM uses_use WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3) batch ORDER BY id DESC LIMIT 1
