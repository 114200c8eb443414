INSERT INTO holders_holder (id, place, number_sealed, number_index, name_sealed, name_index, initials_index, phone_sealed,
                            phone_index, address_sealed, birth_date, sex, life, synthetic)
SELECT n, (ARRAY['320613', '320612', '320614', '320685', '320623', '320681', '320682'])[1 + n % 7],
       decode(repeat(md5('n' || n), 2), 'hex') || '\x0000'::bytea, decode(md5('number' || n), 'hex'),
       decode(md5('a' || n) || left(md5('b' || n), 14), 'hex'),
       decode(md5('name' || floor(power(r, 3) * 60000)), 'hex'), decode(md5('initials' || floor(power(r, 2) * 90000)), 'hex'),
       decode(md5('p' || n) || left(md5('q' || n), 18), 'hex'), decode(md5('phone' || n), 'hex'),
       decode(repeat(md5('s' || n), 5), 'hex'), date '1930-01-01' + ((n * 7919) % 33000)::int, (1 + n % 2)::smallint,
       CASE WHEN n % 250 = 0 THEN 'deceased' ELSE 'alive' END, true
FROM (SELECT n, random() AS r FROM generate_series($1::bigint, $2::bigint) n OFFSET 0) w
