-- Facts after $1 (xid8, exclusive) up to $2 (xid8, inclusive) in the order of the chain, as text that is the same in every
-- session: times in microseconds since 1970, detail as PostgreSQL writes jsonb (keys sorted, one spacing).
SELECT xid::text, id, (extract(epoch FROM at) * 1000000)::bigint, actor, verb, subject, place, reason, detail::text
FROM audit_fact
WHERE xid > $1::xid8 AND xid <= $2::xid8
ORDER BY xid, id
