-- The terminals that their list marks, by id, in the shape of marked_serials.sql: ended (1), suspended (2).
SELECT CASE state WHEN 'ended' THEN 1 ELSE 2 END AS status, string_agg(int4send(id::int), '')
FROM catalogue_terminal
WHERE NOT state = 'active'
GROUP BY 1, id >> 16
