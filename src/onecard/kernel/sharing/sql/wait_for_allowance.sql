-- How many seconds until the next request of an allowance of $3 a minute, at least one.
SELECT greatest(1, ceil(extract(epoch FROM spent_until + interval '60 seconds' / $3 - interval '60 seconds'
                                - clock_timestamp())))::int
FROM sharing_allowance WHERE client_id = $1 AND scope = $2
