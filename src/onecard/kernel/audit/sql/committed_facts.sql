-- Facts after $1 (xid8, exclusive) up to $2 (xid8, inclusive) in the order of the chain, as text that is the same in every
-- session: times in microseconds since 1970, detail as PostgreSQL writes jsonb (keys sorted, one spacing). The order
-- names the table, because a bare xid would be the text of the list, in which 1000 comes before 999.
SELECT xid::text, id, (extract(epoch FROM at) * 1000000)::bigint, actor, verb, subject, place, reason, detail::text
FROM audit_fact AS fact
WHERE fact.xid > $1::xid8 AND fact.xid <= $2::xid8
ORDER BY fact.xid, fact.id
