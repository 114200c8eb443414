-- A nonce is spent once; the key says so for one end of its window, this for all of them.
SELECT (SELECT count(*) FROM uses_spent_nonce) AS checked,
       (SELECT count(*) FROM (SELECT nonce FROM uses_spent_nonce GROUP BY nonce HAVING count(*) > 1) twice) AS spent_twice
