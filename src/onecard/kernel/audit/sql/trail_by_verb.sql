-- Facts of some verbs and places, newest first. $1 patterns of places, $2 from this id, $3 below this id, $4 from when and $5 until
-- when (null: whenever), $6 how many, $7 verbs. As by place: each verb gives its own newest of each place that it has.
WITH RECURSIVE present AS (
    SELECT w.verb, n.place FROM unnest($7::text[]) w (verb) CROSS JOIN LATERAL (
        SELECT f.place FROM audit_fact f
        WHERE (f.verb, f.place) >= (w.verb, '') AND f.verb <= w.verb ORDER BY f.verb, f.place LIMIT 1) n
    UNION ALL
    SELECT p.verb, n.place FROM present p CROSS JOIN LATERAL (
        SELECT f.place FROM audit_fact f
        WHERE (f.verb, f.place) > (p.verb, p.place) AND f.verb <= p.verb ORDER BY f.verb, f.place LIMIT 1) n
), newest AS (
    SELECT g.id FROM present p CROSS JOIN LATERAL (
        SELECT f.id FROM audit_fact f
        WHERE (f.verb, f.place, f.id) >= (p.verb, p.place, $2::bigint) AND (f.verb, f.place, f.id) < (p.verb, p.place, $3::bigint)
          AND ($4::timestamptz IS NULL OR f.at >= $4) AND ($5::timestamptz IS NULL OR f.at < $5)
        ORDER BY f.verb DESC, f.place DESC, f.id DESC LIMIT $6::int) g
    WHERE p.place LIKE ANY ($1::text[]) ORDER BY g.id DESC LIMIT $6::int
)
SELECT f.id, f.xid::text, f.at, f.actor, f.verb, f.subject, f.place, f.reason, f.detail::text
FROM newest JOIN audit_fact f ON f.id = newest.id ORDER BY f.id DESC
