-- $1 export, $2 number of the part, $3 its lines. One that is kept already stays.
INSERT INTO audit_export_part VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
