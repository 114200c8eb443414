INSERT INTO uses_journal (terminal_id, journal, chain, through, uploads, broken_after, broken_at)
SELECT id, md5(id::text)::uuid, md5(id::text), 1000, 90, CASE WHEN id % 150 = 0 THEN 800 END, CASE WHEN id % 150 = 0 THEN now() END
FROM catalogue_terminal
