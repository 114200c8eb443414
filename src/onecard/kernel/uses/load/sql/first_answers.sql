-- The first answers of uses that are asked for again. $1 use ids.
SELECT u.id, u.item_version_id, u.verdict, u.full_fen, u.paid_fen, u.waived_fen, u.concession, u.leg
FROM unnest($1::uuid[]) w (id) JOIN uses_use u ON u.id = w.id
