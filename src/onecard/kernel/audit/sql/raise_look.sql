-- Raises a risk fact, once for a subject and window. $1 kind, $2 subject, $3 start of the window, $4 detail (JSON text)
INSERT INTO audit_risk_fact (kind, subject, window_from, detail) VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT DO NOTHING RETURNING id
