WITH drawn AS (
    INSERT INTO audit_risk_fact (at, kind, subject, detail)
    SELECT $2::timestamptz + n * $3 * interval '1 second', k.kind, 'card:' || 20000 + n % 1000, jsonb_build_object('place', '320613', 'count', 5)
    FROM generate_series(1, $1::bigint) n
    JOIN (SELECT kind, row_number() OVER (ORDER BY kind) - 1 AS i, count(*) OVER () AS of FROM audit_risk_kind) k ON k.i = n % k.of
    RETURNING id, kind
)
INSERT INTO audit_risk_state (risk_id, kind, place, state, follows)
SELECT id, kind, '320613', CASE WHEN id % 20 = 0 THEN 'open' WHEN id % 3 = 0 THEN 'acted' ELSE 'dismissed' END, 0 FROM drawn
