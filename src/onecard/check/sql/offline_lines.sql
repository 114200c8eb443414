-- Each line of a journal has its use and its key, and the use says what the gate decided. No journal is taken beyond what came of it,
-- and what holders owe is what was borne as their debts, less what was paid of it: an account each, and none of it negative.
WITH debts AS (
    SELECT a.id, a.owner, coalesce(sum(CASE WHEN t.debit_account = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS owed
    FROM ledger_account a
    LEFT JOIN ledger_transfer t ON a.id IN (t.debit_account, t.credit_account)
    WHERE a.role = 'holder.debt' GROUP BY 1, 2
)
SELECT count(*) AS checked,
       count(*) FILTER (WHERE u.id IS NULL) AS without_use,
       count(*) FILTER (WHERE k.use_id IS NULL) AS without_key,
       count(*) FILTER (WHERE u.verdict <> 'ADMITTED' AND l.stood_full_fen IS NULL
                          AND (l.gate_verdict = 'ADMITTED' OR l.manual)) AS admissions_refused,
       count(*) FILTER (WHERE l.stood_full_fen IS NOT NULL AND u.verdict = 'ADMITTED') AS stand_twice,
       (SELECT count(*) FROM debts WHERE owed < 0) AS debts_below_zero,
       (SELECT count(*) FROM uses_journal j WHERE j.through > -1 AND NOT EXISTS (
            SELECT FROM uses_journal_key n WHERE (n.terminal_id, n.journal, n.sequence) = (j.terminal_id, j.journal, j.through)
        )) AS taken_beyond
FROM uses_offline_line l
LEFT JOIN uses_use u ON u.id = l.use_id AND u.terminal_id = l.terminal_id
LEFT JOIN uses_journal_key k ON (k.terminal_id, k.journal, k.sequence, k.use_id) = (l.terminal_id, l.journal, l.sequence, l.use_id)
