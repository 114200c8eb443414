-- Raises a risk fact for each subject and window of which enough was tallied in a span as long as the window. $1 kind,
-- $2 minutes of the window, $3 how many, $4 at how many terminals; $5 and $6 subjects and minutes that grew. A span that
-- ends in a minute which grew, or in a later one that holds it, is looked at: lines of gates come late. Windows lie side by
-- side in China's days, so that a subject has one fact in each at most. Returns how many were raised.
WITH grown AS (
    SELECT subject, min(minute) AS first, max(minute) AS last FROM unnest($5::text[], $6::timestamptz[]) g (subject, minute) GROUP BY 1
), near AS (
    SELECT t.subject, t.minute, t.terminal_id, t.hits, g.first
    FROM grown g JOIN uses_risk_tally t ON t.kind = $1 AND t.subject = g.subject
         AND t.minute > g.first - make_interval(mins => $2) AND t.minute < g.last + make_interval(mins => $2)
), sums AS (
    SELECT subject, minute, first, sum(sum(hits)) OVER (
        PARTITION BY subject ORDER BY minute RANGE BETWEEN make_interval(mins => $2 - 1) PRECEDING AND CURRENT ROW) AS hits
    FROM near GROUP BY subject, minute, first
), enough AS (
    SELECT DISTINCT ON (subject, window_from) s.subject, s.minute, s.hits, w.window_from, d.terminals
    FROM sums s
    CROSS JOIN LATERAL (SELECT date_bin(make_interval(mins => $2), s.minute, '2000-01-01 00:00+08') AS window_from) w
    CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT n.terminal_id) AS terminals FROM near n
        WHERE n.subject = s.subject AND n.minute > s.minute - make_interval(mins => $2) AND n.minute <= s.minute) d
    WHERE s.minute >= s.first AND s.hits >= $3 AND cardinality(d.terminals) >= $4
      AND NOT EXISTS (SELECT FROM audit_risk_fact f
                      WHERE f.kind = $1 AND f.subject = s.subject AND f.window_from = w.window_from)
    ORDER BY subject, window_from, minute
), raised AS (
    INSERT INTO audit_risk_fact (kind, subject, window_from, detail)
    SELECT $1, e.subject, e.window_from, jsonb_build_object(
        'place', c.place, 'count', e.hits, 'terminals', to_jsonb(e.terminals[1:20]), 'uses', c.uses,
        'from', c.first, 'until', e.minute + interval '1 minute')
    FROM enough e CROSS JOIN LATERAL (
        SELECT max(t.place) AS place, min(t.minute) AS first,
               (SELECT jsonb_agg(u.use ORDER BY u.use) FROM (
                    SELECT unnest(x.uses) AS use FROM uses_risk_tally x
                    WHERE x.kind = $1 AND x.subject = e.subject
                      AND x.minute > e.minute - make_interval(mins => $2) AND x.minute <= e.minute
                    ORDER BY 1 LIMIT 20) u) AS uses
        FROM uses_risk_tally t
        WHERE t.kind = $1 AND t.subject = e.subject
          AND t.minute > e.minute - make_interval(mins => $2) AND t.minute <= e.minute) c
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM raised
