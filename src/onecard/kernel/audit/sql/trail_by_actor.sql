-- Facts of an actor and some places, newest first. $1 patterns of places, $2 from this id, $3 below this id, $4 from when and $5
-- until when (null: whenever), $6 how many, $7 verbs or null for all, $8 actor. As by place: each verb and place of the actor
-- gives its own newest.
WITH RECURSIVE present AS (
    (SELECT f.verb, f.place FROM audit_fact f
     WHERE (f.actor, f.verb) >= ($8, '') AND f.actor <= $8 ORDER BY f.actor, f.verb, f.place LIMIT 1)
    UNION ALL
    SELECT n.verb, n.place FROM present p CROSS JOIN LATERAL (
        SELECT f.verb, f.place FROM audit_fact f
        WHERE (f.actor, f.verb, f.place) > ($8, p.verb, p.place) AND f.actor <= $8
        ORDER BY f.actor, f.verb, f.place LIMIT 1) n
), newest AS (
    SELECT g.id FROM present p CROSS JOIN LATERAL (
        SELECT f.id FROM audit_fact f
        WHERE (f.actor, f.verb, f.place, f.id) >= ($8, p.verb, p.place, $2::bigint)
          AND (f.actor, f.verb, f.place, f.id) < ($8, p.verb, p.place, $3::bigint)
          AND ($4::timestamptz IS NULL OR f.at >= $4) AND ($5::timestamptz IS NULL OR f.at < $5)
        ORDER BY f.actor DESC, f.verb DESC, f.place DESC, f.id DESC LIMIT $6::int) g
    WHERE p.place LIKE ANY ($1::text[]) AND ($7::text[] IS NULL OR p.verb = ANY ($7)) ORDER BY g.id DESC LIMIT $6::int
)
SELECT f.id, f.xid::text, f.at, f.actor, f.verb, f.subject, f.place, f.reason, f.detail::text
FROM newest JOIN audit_fact f ON f.id = newest.id ORDER BY f.id DESC
