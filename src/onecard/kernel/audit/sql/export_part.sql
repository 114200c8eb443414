-- $1 export, $2 number of the part, from 0.
SELECT content FROM audit_export_part WHERE export_id = $1 AND number = $2
