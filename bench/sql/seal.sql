INSERT INTO audit_seal (number, xid_from, xid_to, facts, digest, previous)
SELECT 1, '1', pg_current_xact_id(), count(*), sha256(''), sha256('') FROM audit_fact
