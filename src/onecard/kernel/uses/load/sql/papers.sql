-- Whose the paper codes $1 (serials int[]) are: serial, e-card, and since when it is revoked.
SELECT serial, ecard_id, revoked_at FROM ecards_paper_code WHERE serial = ANY ($1::int[])
