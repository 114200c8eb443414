-- Locks purses in id order and reads what each may spend and take in. $1 account ids bigint[]
SELECT account_id, free_fen, room_fen FROM ledger_lock($1::bigint[])
