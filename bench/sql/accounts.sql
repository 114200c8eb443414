INSERT INTO ledger_account (id, ledger, role, owner, limited, ceiling_fen)
SELECT n + $3, 'purse', 'holder.purse', 'holder:' || n, true, 100000000 FROM generate_series($1::bigint, $2::bigint) n WHERE n % 100 < 55
