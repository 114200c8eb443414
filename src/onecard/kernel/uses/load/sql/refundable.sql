-- A use and what its refund may look at. $1 use, $2 terminal that asks, $3 journal, $4 sequence, $5 the ids its
-- transfers have. No row: no such use.
SELECT u.id, u.verdict, u.item, u.item_version_id, u.card_id, u.full_fen, u.paid_fen, u.concession, u.at, p.operator_id,
       s.holder_id, s.purse_account_id,
       r.id AS refund_id, r.terminal_id AS refund_terminal, r.journal AS refund_journal, r.sequence AS refund_sequence,
       (SELECT other.use_id FROM uses_refund other WHERE (other.terminal_id, other.journal, other.sequence) = ($2, $3, $4)) AS same_key_use,
       EXISTS (SELECT FROM uses_journal_key j WHERE (j.terminal_id, j.journal, j.sequence) = ($2, $3, $4)) AS key_is_a_use,
       (SELECT jsonb_agg(jsonb_build_array(t.debit_account, t.credit_account, t.amount_fen) ORDER BY t.id)
        FROM unnest($5::uuid[]) w (id) JOIN ledger_transfer t ON t.id = w.id)::text AS transfers
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
LEFT JOIN cards_standing s ON s.card_id = u.card_id
LEFT JOIN uses_refund r ON r.use_id = u.id
WHERE u.id = $1
