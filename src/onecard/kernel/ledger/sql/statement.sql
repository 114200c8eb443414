-- A page of an account's transfers, newest commit first: two walks along the account's indexes, merged. $1 account;
-- $2, $3 xid and id of the last line of the page before (the greatest there are for the first page); $4 how many.
SELECT * FROM (
    (SELECT id, xid::text, at, kind, code, debit_account, credit_account, amount_fen, reference, pending_id, expires_at, xid AS position
     FROM ledger_transfer t WHERE debit_account = $1 AND (t.xid, t.id) < ($2::text::xid8, $3::uuid) ORDER BY t.xid DESC, t.id DESC LIMIT $4)
    UNION ALL
    (SELECT id, xid::text, at, kind, code, debit_account, credit_account, amount_fen, reference, pending_id, expires_at, xid
     FROM ledger_transfer t WHERE credit_account = $1 AND (t.xid, t.id) < ($2::text::xid8, $3::uuid) ORDER BY t.xid DESC, t.id DESC LIMIT $4)
) both_sides ORDER BY position DESC, id DESC LIMIT $4
