INSERT INTO uses_refund (use_id, id, at, terminal_id)
SELECT id, (left(id::text, 34) || '09')::uuid, at, terminal_id FROM uses_use
WHERE id >= $1 AND id < $2 AND verdict = 'ADMITTED' AND abs(hashtext(id::text)) % 500 = 3
