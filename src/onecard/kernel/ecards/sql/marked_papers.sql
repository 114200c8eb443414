-- The paper codes that their list marks, in the shape of marked_serials.sql: revoked, or of an e-card that is cancelled or closed
-- (1), or of a card that is lost, paused or locked (2). Those past their end are told by their date. Looked for from the few
-- e-cards that are marked, by the indexes that hold nothing else.
WITH marked AS MATERIALIZED (
    SELECT ecard_serial AS ecard_id, CASE WHEN card_state IN ('cancelled', 'cancelled_after_loss') THEN 1 ELSE 2 END AS status
    FROM cards_standing
    WHERE ecard_serial IS NOT NULL AND NOT card_state = 'active'
    UNION ALL
    SELECT serial, 1 FROM ecards_ecard WHERE closed_at IS NOT NULL
)
SELECT status, string_agg(int4send(serial), '')
FROM (
    SELECT serial, 1 AS status FROM ecards_paper_code WHERE revoked_at IS NOT NULL AND expires_at > now()
    UNION ALL
    SELECT paper.serial, marked.status
    FROM marked JOIN ecards_paper_code AS paper ON paper.ecard_id = marked.ecard_id AND paper.revoked_at IS NULL
) AS listed
GROUP BY status, serial >> 16
