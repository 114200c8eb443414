-- An admitted use moves what it says: `paid` transfers its price paid, `concession` transfers the rest, unless the operator
-- bears it. Nothing else references uses. A class may stand in an item twice, once borne by the operator: then either holds.
WITH funded AS MATERIALIZED (
    SELECT v.id AS version, c ->> 'class' AS class, bool_or(c ->> 'funded_by' = 'operator') AS by_operator,
           bool_or(c ->> 'funded_by' <> 'operator') AS by_funder
    FROM catalogue_item_version v, jsonb_array_elements(v.declaration -> 'concession') c GROUP BY 1, 2
), moved AS (
    SELECT reference, coalesce(sum(amount_fen) FILTER (WHERE code = 'paid'), 0) AS paid,
           coalesce(sum(amount_fen) FILTER (WHERE code = 'concession'), 0) AS given
    FROM ledger_transfer WHERE reference IS NOT NULL AND code IN ('paid', 'concession') AND kind = 'posted' GROUP BY reference
)
SELECT count(u.id) FILTER (WHERE u.verdict = 'ADMITTED') AS checked,
       count(*) FILTER (WHERE u.id IS NULL) AS of_no_use,
       count(*) FILTER (WHERE u.verdict <> 'ADMITTED' AND m.reference IS NOT NULL) AS of_refused_uses,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND coalesce(m.paid, 0) <> u.paid_fen) AS paid_different,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND NOT (
           coalesce(m.given, 0) = u.full_fen - u.paid_fen AND (u.full_fen = u.paid_fen OR coalesce(f.by_funder, false))
           OR coalesce(m.given, 0) = 0 AND coalesce(f.by_operator, false))) AS concession_different,
       (SELECT count(*) FROM ledger_transfer WHERE reference IS NOT NULL AND code NOT IN ('paid', 'concession', 'refund', 'correction'))
           AS other_codes
FROM uses_use u
FULL JOIN moved m ON m.reference = u.id
LEFT JOIN funded f ON f.version = u.item_version_id AND f.class = u.concession
