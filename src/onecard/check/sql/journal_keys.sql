-- The caller's id of a line and its use (or refund) are one to one, at one terminal.
SELECT count(u.id) AS checked,
       count(*) FILTER (WHERE k.use_id IS NULL) AS uses_without_key,
       count(*) FILTER (WHERE u.id IS NULL) AS keys_without_use,
       count(*) FILTER (WHERE k.keys > 1) AS uses_with_several,
       count(*) FILTER (WHERE k.terminal_id <> u.terminal_id) AS other_terminal
FROM (SELECT id, terminal_id FROM uses_use UNION ALL SELECT id, terminal_id FROM uses_refund) u
FULL JOIN (SELECT use_id, count(*) AS keys, min(terminal_id) AS terminal_id FROM uses_journal_key GROUP BY use_id) k ON k.use_id = u.id
