-- A terminal and its keys in force, to check a request's signature. $1 its code. Its state is judged later, in the group.
SELECT t.id, array_agg(k.id) AS key_ids, array_agg(k.key_sealed) AS keys_sealed,
       array_agg(k.algorithm) AS algorithms
FROM catalogue_terminal t JOIN catalogue_terminal_key k ON k.terminal_id = t.id
WHERE t.code = $1 AND (k.valid_to IS NULL OR k.valid_to > now())
GROUP BY t.id
