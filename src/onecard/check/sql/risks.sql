-- Where each risk fact stands against its facts: the last follow-up says it, and follow-ups are numbered without a gap.
SELECT count(*) AS checked,
       count(*) FILTER (WHERE s.risk_id IS NULL OR f.id IS NULL) AS unmatched,
       count(*) FILTER (WHERE s.state <> coalesce(l.state, 'open') OR s.follows <> coalesce(l.number, 0)
                        OR s.kind <> f.kind) AS different,
       count(*) FILTER (WHERE l.number <> l.steps) AS with_a_gap
FROM audit_risk_fact f FULL JOIN audit_risk_state s ON s.risk_id = f.id
LEFT JOIN (SELECT DISTINCT ON (risk_id) risk_id, number, state, count(*) OVER (PARTITION BY risk_id) AS steps
           FROM audit_risk_follow ORDER BY risk_id, number DESC) l ON l.risk_id = s.risk_id
