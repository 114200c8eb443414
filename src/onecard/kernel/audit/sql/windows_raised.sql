-- The windows for which a subject has a risk fact. $1 kind, $2 subject, $3 from which on
SELECT window_from FROM audit_risk_fact WHERE kind = $1 AND subject = $2 AND window_from >= $3
