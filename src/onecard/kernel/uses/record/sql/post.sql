-- Posts the group's transfers. A row that comes back is one the ledger refused although the fold allowed it: a fault of
-- ours. $1 ids, $2 debits, $3 credits, $4 amounts in fen, $5 codes, $6 uses, all as array literals; $7 how many. All are
-- posted at once, none is a hold.
SELECT n, outcome
FROM ledger_post($1::text::uuid[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[],
                 array_fill('posted'::text, ARRAY[$7::int]), $5::text::text[], array_fill(NULL::uuid, ARRAY[$7::int]),
                 array_fill(NULL::timestamptz, ARRAY[$7::int]), $6::text::uuid[])
