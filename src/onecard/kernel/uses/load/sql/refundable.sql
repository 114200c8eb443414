-- A use and what its refund may look at. $1 use, $2 terminal that asks, $3 journal, $4 sequence, $5 the ids its
-- transfers have. No row: no such use.
SELECT u.id, u.verdict, u.item, u.item_version_id, u.card_id, u.full_fen, u.paid_fen, u.concession, u.at, p.operator_id,
       s.holder_id, s.purse_account_id, r.id AS refund_id,
       (SELECT j.use_id FROM uses_journal_key j WHERE (j.terminal_id, j.journal, j.sequence) = ($2, $3, $4)) AS known_as,
       (SELECT jsonb_agg(jsonb_build_array(t.debit_account, t.credit_account, t.amount_fen) ORDER BY t.id)
        FROM unnest($5::uuid[]) w (id) JOIN ledger_transfer t ON t.id = w.id)::text AS transfers
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN cards_standing s ON s.card_id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
WHERE u.id = $1
