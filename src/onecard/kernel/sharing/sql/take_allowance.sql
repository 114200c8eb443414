-- Take one request of an allowance of $3 a minute for client $1 and scope $2; no row where it is used up. `spent_until` is the
-- moment at which everything taken is given back, one request each 60/$3 seconds; at most a minute's worth is taken ahead.
-- The row's lock is what makes it one allowance for all processes.
INSERT INTO sharing_allowance AS allowance (client_id, scope, spent_until)
VALUES ($1, $2, clock_timestamp() + interval '60 seconds' / $3)
ON CONFLICT (client_id, scope) DO UPDATE
    SET spent_until = greatest(allowance.spent_until, clock_timestamp()) + interval '60 seconds' / $3
    WHERE greatest(allowance.spent_until, clock_timestamp()) + interval '60 seconds' / $3
          <= clock_timestamp() + interval '60 seconds'
RETURNING spent_until
