-- The next uses of a client's own points in the order in which they were recorded: $1 client, $2 point's code or '', $3 after
-- this id, $4 before this id, $5 how many at most. Each point gives its own next ones by its index, so that a page costs
-- the same wherever it lies.
WITH own AS (
    SELECT p.id, p.code, p.division FROM catalogue_point p WHERE p.client_id = $1 AND ($2 = '' OR p.code = $2)
), page AS (
    SELECT u.*, own.code AS point, own.division
    FROM own
    CROSS JOIN LATERAL (
        SELECT * FROM uses_use o WHERE o.point_id = own.id AND o.id > $3 AND o.id < $4 ORDER BY o.id LIMIT $5) u
    ORDER BY u.id LIMIT $5
)
SELECT page.id, page.at, page.point, t.id, t.code, page.item, v.version, page.medium, page.leg, page.verdict,
       page.full_fen, page.paid_fen, page.waived_fen, page.concession, s.holder_id, r.use_id IS NOT NULL, page.division
FROM page
JOIN catalogue_terminal t ON t.id = page.terminal_id
LEFT JOIN catalogue_item_version v ON v.id = page.item_version_id
LEFT JOIN cards_standing s ON s.card_id = page.card_id
LEFT JOIN uses_refund r ON r.use_id = page.id
ORDER BY page.id
