-- Whom an actor looked at, in the order of time. $1 actor, $2 verbs, $3 after when, $4 before when, $5 by how many ids facts of one
-- moment may be apart. The newest of each verb and place of the actor are read by their index, from the id that the time begins
-- with to that which it ends with.
WITH RECURSIVE span AS (
    SELECT coalesce((SELECT f.id FROM audit_fact f WHERE f.at > $3 ORDER BY f.at LIMIT 1), 0) - $5::bigint AS first,
           coalesce((SELECT f.id FROM audit_fact f WHERE f.at < $4 ORDER BY f.at DESC LIMIT 1), 0) + $5::bigint AS last
), present AS (
    (SELECT f.verb, f.place FROM audit_fact f
     WHERE (f.actor, f.verb) >= ($1, '') AND f.actor <= $1 ORDER BY f.actor, f.verb, f.place LIMIT 1)
    UNION ALL
    SELECT n.verb, n.place FROM present p CROSS JOIN LATERAL (
        SELECT f.verb, f.place FROM audit_fact f
        WHERE (f.actor, f.verb, f.place) > ($1, p.verb, p.place) AND f.actor <= $1
        ORDER BY f.actor, f.verb, f.place LIMIT 1) n
)
SELECT l.at, l.id, l.subject, l.place FROM present p CROSS JOIN span s CROSS JOIN LATERAL (
    SELECT f.at, f.id, f.subject, f.place FROM audit_fact f
    WHERE (f.actor, f.verb, f.place, f.id) >= ($1, p.verb, p.place, s.first)
      AND (f.actor, f.verb, f.place, f.id) <= ($1, p.verb, p.place, s.last)
      AND f.at > $3 AND f.at < $4 AND starts_with(f.subject, 'holder:')) l
WHERE p.verb = ANY ($2::text[]) ORDER BY l.at, l.id
