INSERT INTO cards_standing (card_id, holder_id, issuing_place, generation, card_state, social_security, financial, transit,
                            number_index, ecard_serial, purse_account_id, classes)
SELECT c.id, c.holder_id, c.issuing_place, c.generation, c.state, f, f, f, decode(md5('card' || c.id), 'hex'),
       CASE WHEN c.state = 'active' AND c.holder_id % 100 < 72 THEN c.holder_id + $3 END,
       CASE WHEN c.holder_id % 100 < 55 THEN c.holder_id + $2 END, '[]'
FROM cards_card c
CROSS JOIN LATERAL (SELECT CASE c.state WHEN 'cancelled' THEN 'closed' WHEN 'inactive' THEN 'inactive' ELSE 'active' END AS f) s
WHERE c.holder_id >= $1
