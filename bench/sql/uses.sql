-- $1, $2 first and last number of these uses; $3 the moment of the first and $4 seconds between two; $5 how many there are;
-- $6 first holder, $7 how many holders, $8 where the ids of cards begin. An id ends in 00, so that 01 and 02 stand beside it. They
-- lie in the order in which they were recorded, as they would.
INSERT INTO uses_use (id, at, terminal_id, point_id, item, item_version_id, card_id, medium, verdict, full_fen, paid_fen, concession)
SELECT (lpad(to_hex(ms), 12, '0') || '7' || left(h, 3) || '8' || substr(h, 4, 13) || '00')::uuid, to_timestamp(ms / 1000.0),
       d.terminal_id, d.point_id, d.item, d.version,
       CASE WHEN verdict NOT IN ('CODE_EXPIRED', 'NUMBER_UNKNOWN') THEN holder + $8 END,
       CASE WHEN r2 < 0.02 OR verdict = 'NUMBER_UNKNOWN' THEN 'number' WHEN r2 < 0.4 THEN 'card' ELSE 'code' END, verdict,
       CASE WHEN verdict = 'ADMITTED' THEN d.full_fen ELSE 0 END,
       CASE WHEN verdict = 'ADMITTED' AND holder % 100 < 55 THEN d.full_fen / (1 + (r2 > 0.6)::int) ELSE 0 END,
       CASE WHEN verdict = 'ADMITTED' AND d.full_fen > 0 AND (holder % 100 >= 55 OR r2 > 0.6)
            THEN CASE WHEN holder % 100 >= 55 THEN 'senior_70' ELSE 'senior_60' END END
FROM (
    SELECT ms, h, r2, 1 + floor(r3 * (SELECT count(*) FROM crowd_door))::bigint AS door,
           $6 + (floor(power(r1, 1.3) * $7)::bigint * 7919) % $7 AS holder,
           CASE WHEN r4 < 0.955 THEN 'ADMITTED' WHEN r4 < 0.97 THEN 'FUNDS_SHORT' WHEN r4 < 0.98 THEN 'NOT_ENTITLED'
                WHEN r4 < 0.985 THEN 'CARD_LOST' WHEN r4 < 0.99 THEN 'CODE_EXPIRED' WHEN r4 < 0.995 THEN 'REPLAYED'
                WHEN r4 < 0.996 THEN 'NUMBER_UNKNOWN' ELSE 'QUOTA_EXHAUSTED' END AS verdict
    FROM (SELECT (extract(epoch FROM $3::timestamptz + n * $4 * interval '1 second') * 1000)::bigint AS ms, md5(n::text) AS h,
                 random() AS r1, random() AS r2, random() AS r3, random() AS r4
          FROM generate_series($1::bigint, $2::bigint) n OFFSET 0) drawn
    OFFSET 0
) w JOIN crowd_door d ON d.n = w.door
ORDER BY ms
