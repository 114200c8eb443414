-- Facts of some places, newest first. $1 patterns of places (320602, 3206%, %), $2 from this id, $3 below this id, $4 from when and
-- $5 until when (null: whenever), $6 how many. Each place that has facts gives its own newest by its index, so that a page takes
-- the same among thousands of facts and among millions, whichever places they are of. Rows are compared and ordered as a whole,
-- because only the one index walks them so, whatever the planner thinks of how columns go together.
WITH RECURSIVE present AS (
    (SELECT place FROM audit_fact ORDER BY place LIMIT 1)
    UNION ALL
    SELECT n.place FROM present p CROSS JOIN LATERAL (
        SELECT f.place FROM audit_fact f WHERE f.place > p.place ORDER BY f.place LIMIT 1) n
), newest AS (
    SELECT g.id FROM present p CROSS JOIN LATERAL (
        SELECT f.id FROM audit_fact f
        WHERE (f.place, f.id) >= (p.place, $2::bigint) AND (f.place, f.id) < (p.place, $3::bigint)
          AND ($4::timestamptz IS NULL OR f.at >= $4) AND ($5::timestamptz IS NULL OR f.at < $5)
        ORDER BY f.place DESC, f.id DESC LIMIT $6::int) g
    WHERE p.place LIKE ANY ($1::text[]) ORDER BY g.id DESC LIMIT $6::int
)
SELECT f.id, f.xid::text, f.at, f.actor, f.verb, f.subject, f.place, f.reason, f.detail::text
FROM newest JOIN audit_fact f ON f.id = newest.id ORDER BY f.id DESC
