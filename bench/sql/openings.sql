-- Each purse was filled once, with what was spent of it since and something more.
WITH filled AS (
    SELECT a.id, coalesce(sum(t.amount_fen), 0) AS spent, coalesce(sum(t.amount_fen), 0) + 500 + a.id % 20000 AS fen
    FROM ledger_account a LEFT JOIN ledger_transfer t ON t.debit_account = a.id AND t.code = 'paid'
    WHERE a.id >= $1 AND a.role = 'holder.purse' GROUP BY a.id
), posted AS (
    INSERT INTO ledger_transfer (id, debit_account, credit_account, amount_fen, kind, code, at)
    SELECT (lpad(to_hex((extract(epoch FROM $3::timestamptz) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(id), 12, '0'))::uuid,
           $2, id, fen, 'posted', 'opening', $3 FROM filled
)
INSERT INTO ledger_balance (account_id, ledger, free_fen, room_fen, debits_posted)
SELECT id, 'purse', fen - spent, 100000000 - fen + spent, spent FROM filled
