INSERT INTO cards_card (id, number, identifier, holder_id, issuing_place, bank_id, generation, state, issued_on, valid_to)
SELECT h.id + $2, 'X' || lpad(h.id::text, 8, '0'), '320600' || lpad(upper(to_hex(h.id)), 26, '0'), h.id, '320600',
       (SELECT id FROM partners_party WHERE kind = 'bank' LIMIT 1), 2 + (h.id % 5 > 1)::int,
       CASE WHEN h.id % 250 = 0 THEN 'locked' WHEN h.id % 200 = 1 THEN 'lost' WHEN h.id % 60 = 1 THEN 'inactive'
            WHEN h.id % 100 = 7 THEN 'cancelled' ELSE 'active' END,
       (now() AT TIME ZONE 'Asia/Shanghai')::date - (h.id % 2000)::int - 30,
       (now() AT TIME ZONE 'Asia/Shanghai')::date - (h.id % 2000)::int - 30 + 3650
FROM holders_holder h WHERE h.id >= $1
