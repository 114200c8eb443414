-- No row in a default partition, and a partition for now and for the step after it.
SELECT (SELECT count(*) FROM foundation_partitioned) AS checked,
       (SELECT coalesce(sum(stray), 0)::bigint FROM rows_in_default_partitions()) AS stray_rows,
       (SELECT count(*) FROM foundation_partitioned p, generate_series(0, 1) n
        WHERE to_regclass(quote_ident(p.parent || '_' || to_char(
            date_trunc(CASE p.step WHEN '1 day' THEN 'day' ELSE 'month' END, now() AT TIME ZONE 'Asia/Shanghai') + n * p.step,
            CASE p.step WHEN '1 day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END))) IS NULL) AS not_made
