-- $1 kind, $2 subject, $3 detail (JSON text)
INSERT INTO audit_risk_fact (kind, subject, detail) VALUES ($1, $2, $3::jsonb)
