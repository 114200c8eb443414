-- Keep calls, one an entry of each array. A batch whose commit was not heard of comes again.
INSERT INTO sharing_call (client_id, id, credential, method, operation, status, code, took_ms)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::int[])
ON CONFLICT DO NOTHING
