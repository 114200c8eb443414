-- The last transaction id of the next batch: $1 last sealed xid, $2 facts wanted. Only transactions below the snapshot's
-- xmin count: all of them have finished, so nothing can still commit before the seal. A transaction is never cut in two.
SELECT max(xid)::text FROM (
    SELECT xid FROM audit_fact
    WHERE xid > $1::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, id LIMIT $2
) AS batch
