-- A page of risk facts, newest first. $1 kinds or null for all, $2 states, $3 patterns of places (320600, 3206%, %),
-- $4 the last id of the page before or null, $5 how many. Each kind and state is walked by its index from the newest, so
-- that a page takes the same among a hundred facts and among millions, whatever is closed.
WITH RECURSIVE present AS (
    (SELECT kind FROM audit_risk_state ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT s.kind FROM audit_risk_state s WHERE s.kind > p.kind ORDER BY s.kind LIMIT 1)
    FROM present p WHERE p.kind IS NOT NULL
), found AS (
    SELECT s.* FROM present p CROSS JOIN unnest($2::text[]) w (state) CROSS JOIN LATERAL (
        SELECT * FROM audit_risk_state t
        WHERE t.kind = p.kind AND t.state = w.state AND ($4::bigint IS NULL OR t.risk_id < $4) AND t.place LIKE ANY ($3::text[])
        ORDER BY t.risk_id DESC LIMIT $5) s
    WHERE p.kind IS NOT NULL AND ($1::text[] IS NULL OR p.kind = ANY ($1))
    ORDER BY s.risk_id DESC LIMIT $5
)
SELECT f.id, f.at, f.kind, f.subject, f.detail::text, s.place, s.state, s.follows
FROM found s JOIN audit_risk_fact f ON f.id = s.risk_id ORDER BY f.id DESC
