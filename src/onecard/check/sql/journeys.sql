-- What purses hold for journeys: an open one has its hold, one that ended has none, and no hold is for none. A journey is begun
-- by an admitted use of its card, and ended by another or by itself, soon after its time.
WITH journeys AS (
    SELECT j.id, j.ended_at, j.ended_by, j.ends_by, j.hold_id, j.held_fen, h.id IS NOT NULL AS held, t.amount_fen,
           (b.verdict = 'ADMITTED' OR bl.stood_full_fen IS NOT NULL) AND b.leg = 'in' AND b.card_id = j.card_id AS begun,
           (e.verdict = 'ADMITTED' OR el.stood_full_fen IS NOT NULL) AND e.leg = 'out' AND e.card_id = j.card_id AS ended
    FROM uses_journey j
    LEFT JOIN ledger_hold h ON h.id = j.hold_id
    LEFT JOIN ledger_transfer t ON t.id = j.hold_id AND t.kind = 'pending'
    LEFT JOIN uses_use b ON b.id = j.id
    LEFT JOIN uses_use e ON e.id = j.ended_by
    LEFT JOIN uses_offline_line bl ON bl.use_id = j.id
    LEFT JOIN uses_offline_line el ON el.use_id = j.ended_by
)
SELECT count(*) AS checked,
       count(*) FILTER (WHERE ended_at IS NULL AND hold_id IS NOT NULL AND NOT held) AS open_without_hold,
       count(*) FILTER (WHERE ended_at IS NOT NULL AND held) AS ended_and_held,
       count(*) FILTER (WHERE hold_id IS NOT NULL AND amount_fen IS DISTINCT FROM held_fen) AS held_different,
       count(*) FILTER (WHERE begun IS NOT TRUE OR ended_by IS NOT NULL AND ended IS NOT TRUE) AS of_no_admitted_use,
       count(*) FILTER (WHERE ended_at IS NULL AND ends_by < now() - interval '1 day') AS a_day_overdue,
       (SELECT count(*) FROM ledger_hold h JOIN ledger_transfer t ON t.id = h.id
        WHERE t.reference IS NOT NULL AND NOT EXISTS (SELECT FROM uses_journey j WHERE j.hold_id = h.id)) AS held_for_none
FROM journeys
