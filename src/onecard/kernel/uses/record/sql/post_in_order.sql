-- Posts transfers one after the other, holds and what resolves them among them; a row that comes back is one the ledger
-- refused although the fold allowed it. $1 ids, $2 debits, $3 credits, $4 amounts in fen, $5 kinds, $6 codes, $7 the holds
-- they resolve, $8 uses. A resolution has no accounts of its own.
SELECT n, outcome
FROM ledger_post($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::uuid[],
                 array_fill(NULL::timestamptz, ARRAY[cardinality($1::uuid[])]), $8::uuid[])
