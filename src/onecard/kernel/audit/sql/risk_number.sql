-- How many risk facts there are, counted up to $4. $1 kinds or null for all, $2 states, $3 patterns of places (3206%). Of each kind
-- and state no more than that are read, by the index that holds the place too.
WITH RECURSIVE present AS (
    (SELECT kind FROM audit_risk_state ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT s.kind FROM audit_risk_state s WHERE s.kind > p.kind ORDER BY s.kind LIMIT 1)
    FROM present p WHERE p.kind IS NOT NULL
)
SELECT count(*) FROM (
    SELECT FROM present p CROSS JOIN unnest($2::text[]) w (state) CROSS JOIN LATERAL (
        SELECT FROM audit_risk_state t WHERE t.kind = p.kind AND t.state = w.state AND t.place LIKE ANY ($3::text[]) LIMIT $4) s
    WHERE p.kind IS NOT NULL AND ($1::text[] IS NULL OR p.kind = ANY ($1)) LIMIT $4) counted
