-- The states around a terminal that asks for a refund or an explanation. $1 terminal, $2 the key it signed with.
SELECT t.state AS terminal_state, c.state AS client_state, p.state AS point_state, p.operator_id,
       EXISTS (SELECT FROM catalogue_terminal_key k
               WHERE k.id = $2 AND k.terminal_id = t.id AND (k.valid_to IS NULL OR k.valid_to > now())) AS key_in_force
FROM catalogue_terminal t JOIN catalogue_point p ON p.id = t.point_id JOIN catalogue_client c ON c.id = p.client_id
WHERE t.id = $1
