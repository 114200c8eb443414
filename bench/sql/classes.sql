INSERT INTO holders_class (holder_id, code, from_day, to_day, source)
SELECT h.id, w.code, h.birth_date + w.years * interval '1 year', CASE WHEN w.last THEN NULL ELSE h.birth_date + interval '70 years' END, 'birth'
FROM holders_holder h CROSS JOIN (VALUES ('senior_60', 60, false), ('senior_70', 70, true)) w (code, years, last)
WHERE h.id >= $1 AND h.birth_date < (now() AT TIME ZONE 'Asia/Shanghai')::date - interval '60 years'
