-- Who looked at holders' data in a batch of facts, and from when until when. $1 after and $2 up to which transaction, $3 how their
-- names begin (staff:, client:), $4 verbs
SELECT actor, min(at), max(at) FROM audit_fact
WHERE xid > $1::xid8 AND xid <= $2::xid8 AND starts_with(actor, $3) AND verb = ANY ($4::text[]) AND starts_with(subject, 'holder:')
GROUP BY actor ORDER BY actor
