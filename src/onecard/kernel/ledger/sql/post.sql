-- Posts transfers: arrays of one length, in their order. Rows only for those that were not newly made.
SELECT n, outcome FROM ledger_post($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::uuid[], $8::timestamptz[], $9::uuid[])
