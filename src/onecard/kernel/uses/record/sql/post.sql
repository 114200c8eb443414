-- Posts the group's transfers. A row that comes back is one the ledger refused although the fold allowed it: a fault of
-- ours. $1 ids, $2 debits, $3 credits, $4 amounts in fen, $5 codes, $6 uses; all are posted at once, none is a hold.
SELECT n, outcome
FROM ledger_post($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], array_fill('posted'::text, ARRAY[cardinality($1)]), $5::text[],
                 array_fill(NULL::uuid, ARRAY[cardinality($1)]), array_fill(NULL::timestamptz, ARRAY[cardinality($1)]), $6::uuid[])
