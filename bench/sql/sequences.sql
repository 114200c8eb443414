-- Where the sequences go on.
SELECT setval('holders_holder_id_seq', $1), setval('cards_card_id_seq', $1 + $2), setval('ecards_serial_seq', ($1 + $2)::int),
       setval(pg_get_serial_sequence('ledger_account', 'id'), $1 + $3)
