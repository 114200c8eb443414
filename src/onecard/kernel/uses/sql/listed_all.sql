-- The uses of a page at points of some places, newest first: it reads one after the other and stops where the page is full, mostly
-- after a few. Where it looks through so many and the page is still not full, the last of those follows, as one that does not
-- fit: there the next page begins.
-- $1 before this id, $2 not before this one, $3 how many are looked through at most, $4 patterns of divisions (3206%), $5 item
-- or '', $6 verdict or '', $7 how many of a page.
SELECT * FROM (
    (SELECT s.id, true AS fits
     FROM (SELECT id, point_id, item, verdict FROM uses_use WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3) s
     JOIN catalogue_point p ON p.id = s.point_id
     WHERE p.division LIKE ANY ($4::text[]) AND ($5 = '' OR s.item = $5) AND ($6 = '' OR s.verdict = $6)
     ORDER BY s.id DESC LIMIT $7)
    UNION ALL
    (SELECT id, false FROM uses_use WHERE id < $1 AND id >= $2 ORDER BY id DESC OFFSET $3 - 1 LIMIT 1)
) w LIMIT $7
