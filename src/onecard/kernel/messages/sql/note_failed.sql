-- A delivery that was not taken: $1 delivery, $2 why, $3 in how many seconds to try again, $4 after how many seconds of trying it
-- is given up, $5 whether the endpoint itself is away, $6 how many seconds it rests for each failure in a row, $7 at most.
WITH failed AS (
    UPDATE messages_delivery d
    SET last_error = $2, next_try_at = now() + make_interval(secs => $3),
        state = CASE WHEN d.since < now() - make_interval(secs => $4) THEN 'dead' ELSE d.state END
    WHERE d.id = $1 AND d.state = 'waiting'
    RETURNING d.endpoint_id, d.state
), rested AS (
    UPDATE messages_endpoint
    SET failures = failures + 1, rests_until = now() + make_interval(secs => least($6 * (failures + 1), $7))
    WHERE $5 AND id = (SELECT endpoint_id FROM failed)
)
SELECT state FROM failed
