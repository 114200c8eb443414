-- An admitted use moves what it says: `paid` transfers what the holder paid, `concession` transfers what its funder bears,
-- unless that is the operator. Nothing else references uses but holds, their release, refunds and corrections. The beginning
-- of a journey pays nothing, unless nobody ended it: then it pays what was held.
WITH funded AS MATERIALIZED (
    SELECT v.id AS version, c ->> 'key' AS key, bool_or(c ->> 'funded_by' = 'operator') AS by_operator
    FROM catalogue_item_version v, jsonb_array_elements(v.declaration -> 'concession') c GROUP BY 1, 2
), moved AS (
    SELECT reference, coalesce(sum(amount_fen) FILTER (WHERE code = 'paid'), 0) AS paid,
           coalesce(sum(amount_fen) FILTER (WHERE code = 'concession'), 0) AS given
    FROM ledger_transfer
    WHERE reference IS NOT NULL AND code IN ('paid', 'concession') AND kind IN ('posted', 'post') GROUP BY reference
), said AS (
    SELECT u.id, u.verdict, u.item_version_id, u.concession, u.leg, j.id IS NOT NULL AS left_open,
           CASE WHEN j.id IS NULL THEN u.paid_fen ELSE j.held_fen END AS paid_fen,
           u.full_fen - u.paid_fen - u.waived_fen AS given_fen
    FROM uses_use u
    LEFT JOIN uses_journey j ON j.id = u.id AND u.leg = 'in' AND j.ended_at IS NOT NULL AND j.ended_by IS NULL
)
SELECT count(u.id) FILTER (WHERE u.verdict = 'ADMITTED') AS checked,
       count(*) FILTER (WHERE u.id IS NULL) AS of_no_use,
       count(*) FILTER (WHERE u.verdict <> 'ADMITTED' AND m.reference IS NOT NULL) AS of_refused_uses,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND coalesce(m.paid, 0) <> u.paid_fen) AS paid_different,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND NOT u.left_open AND coalesce(m.given, 0) <>
           CASE WHEN coalesce(f.by_operator, false) THEN 0 ELSE u.given_fen END) AS concession_different,
       (SELECT count(*) FROM ledger_transfer WHERE reference IS NOT NULL
            AND code NOT IN ('paid', 'concession', 'hold', 'released', 'refund', 'correction')) AS other_codes
FROM said u
FULL JOIN moved m ON m.reference = u.id
LEFT JOIN funded f ON f.version = u.item_version_id AND f.key = u.concession
