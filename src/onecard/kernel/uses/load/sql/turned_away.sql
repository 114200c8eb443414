-- The uses of which a gate never heard that they were admitted, and refused them: those that stand as admitted under the keys
-- $1 terminal, $2 journal, $3 sequences, with the same contents $4, and of which no line of a journal told yet. In id order,
-- with the division of their point.
SELECT u.id, p.division
FROM unnest($3::bigint[], $4::bytea[]) w (sequence, content)
JOIN uses_journal_key k ON (k.terminal_id, k.journal, k.sequence) = ($1, $2, w.sequence) AND k.content = w.content
JOIN uses_use u ON u.id = k.use_id AND u.verdict = 'ADMITTED'
JOIN catalogue_point p ON p.id = u.point_id
WHERE NOT EXISTS (SELECT FROM uses_offline_line l WHERE l.use_id = u.id)
ORDER BY u.id
