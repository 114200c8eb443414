-- Raises a risk fact for each journal that was found broken of late: $1 kind, $2 within how many minutes. A journal is found
-- broken once. Returns how many were raised.
WITH raised AS (
    INSERT INTO audit_risk_fact (kind, subject, window_from, detail)
    SELECT $1, 'terminal:' || j.terminal_id, j.broken_at, jsonb_build_object(
        'place', p.division, 'terminals', jsonb_build_array(j.terminal_id), 'journal', j.journal, 'after', j.broken_after)
    FROM uses_journal j JOIN catalogue_terminal t ON t.id = j.terminal_id JOIN catalogue_point p ON p.id = t.point_id
    WHERE j.broken_at > now() - make_interval(mins => $2)
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM raised
