-- Posts the group's transfers. A row that comes back is one the ledger refused although the fold allowed it: a fault of ours.
SELECT n, outcome FROM ledger_post($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::uuid[], $8::timestamptz[], $9::uuid[])
