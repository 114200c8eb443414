-- An admitted use moves what it says: `paid` transfers what the holder paid, `concession` transfers what its funder bears and
-- `shortfall` transfers what somebody else bears that the holder lacked, unless that is the operator. Nothing else references uses
-- but holds, their release, refunds, corrections, what is taken back of a journey's end, and what of a top-up goes to a debt. The
-- beginning of a journey pays nothing, unless nobody ended it: then it pays what was held, except where its holder was turned
-- away. An admission that stands beside a use recorded as refused says itself what it came to.
WITH funded AS MATERIALIZED (
    SELECT v.id AS version, c ->> 'key' AS key, bool_or(c ->> 'funded_by' = 'operator') AS by_operator
    FROM catalogue_item_version v, jsonb_array_elements(v.declaration -> 'concession') c GROUP BY 1, 2
), resettled AS MATERIALIZED (
    -- A journey that had ended by itself when its end was told costs nothing at its beginning any more.
    SELECT reference, count(*) AS back, sum(amount_fen) AS fen FROM ledger_transfer WHERE code = 'resettled' GROUP BY 1
), moved AS (
    SELECT reference, coalesce(sum(amount_fen) FILTER (WHERE code = 'paid'), 0) AS paid,
           coalesce(sum(amount_fen) FILTER (WHERE code = 'concession'), 0) AS given,
           coalesce(sum(amount_fen) FILTER (WHERE code = 'shortfall'), 0) AS borne
    FROM ledger_transfer
    WHERE reference IS NOT NULL AND code IN ('paid', 'concession', 'shortfall') AND kind IN ('posted', 'post')
      AND NOT EXISTS (SELECT FROM resettled r WHERE r.reference = ledger_transfer.reference)
    GROUP BY reference
), lacked AS (
    SELECT use_id, sum(shortfall_fen) AS fen
    FROM (SELECT coalesce(ended_by, id), shortfall_fen FROM uses_journey WHERE shortfall_fen > 0 AND borne_by <> 'operator'
          UNION ALL
          SELECT l.use_id, l.shortfall_fen FROM uses_offline_line l
          WHERE l.shortfall_fen > 0 AND l.borne_by <> 'operator'
            AND NOT EXISTS (SELECT FROM uses_journey j WHERE j.ended_by = l.use_id AND j.shortfall_fen > 0)) s (use_id, shortfall_fen)
    GROUP BY 1
), said AS (
    SELECT u.id, CASE WHEN l.stood_full_fen IS NULL THEN u.verdict ELSE 'ADMITTED' END AS verdict, u.item_version_id,
           CASE WHEN l.stood_full_fen IS NULL THEN u.concession ELSE l.stood_concession END AS concession, u.leg,
           j.id IS NOT NULL AS left_open, coalesce(s.fen, 0) AS lacked_fen,
           CASE WHEN j.id IS NULL THEN coalesce(l.stood_paid_fen, u.paid_fen) ELSE j.held_fen END AS paid_fen,
           coalesce(l.stood_full_fen - l.stood_paid_fen - l.stood_waived_fen, u.full_fen - u.paid_fen - u.waived_fen)
               - CASE WHEN j.id IS NULL THEN coalesce(s.fen, 0) ELSE 0 END AS given_fen
    FROM uses_use u
    LEFT JOIN uses_offline_line l ON l.use_id = u.id
    LEFT JOIN lacked s ON s.use_id = u.id
    LEFT JOIN uses_journey j ON j.id = u.id AND u.leg = 'in' AND j.ended_at IS NOT NULL AND j.ended_by IS NULL
        AND NOT j.given_back
)
SELECT count(u.id) FILTER (WHERE u.verdict = 'ADMITTED') AS checked,
       count(*) FILTER (WHERE u.id IS NULL) AS of_no_use,
       count(*) FILTER (WHERE u.verdict <> 'ADMITTED' AND m.reference IS NOT NULL) AS of_refused_uses,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND coalesce(m.paid, 0) <> u.paid_fen) AS paid_different,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND NOT u.left_open AND coalesce(m.given, 0) <>
           CASE WHEN coalesce(f.by_operator, false) THEN 0 ELSE u.given_fen END) AS concession_different,
       count(*) FILTER (WHERE u.verdict = 'ADMITTED' AND coalesce(m.borne, 0) <> u.lacked_fen) AS shortfall_different,
       (SELECT count(*) FROM ledger_transfer WHERE reference IS NOT NULL
            AND code NOT IN ('paid', 'concession', 'shortfall', 'debt', 'hold', 'released', 'refund', 'correction', 'resettled')) AS other_codes,
       (SELECT count(*) FROM resettled r
        LEFT JOIN (SELECT reference, count(*) AS forth, sum(amount_fen) AS fen
                   FROM ledger_transfer JOIN resettled USING (reference)
                   WHERE code IN ('paid', 'concession', 'shortfall') GROUP BY 1) f USING (reference)
        WHERE (r.back, r.fen) IS DISTINCT FROM (f.forth, f.fen)) AS not_taken_back
FROM said u
FULL JOIN moved m ON m.reference = u.id
LEFT JOIN funded f ON f.version = u.item_version_id AND f.key = u.concession
