"""Jobs of sharing, by the clock."""

from procrastinate.contrib.django import app

from onecard.foundation.postgres.raw import rows

EXPIRED = (
    "WITH gone AS (DELETE FROM oauth2_provider_accesstoken WHERE expires < now() RETURNING 1)"
    " SELECT count(*) FROM gone",
    "WITH gone AS (DELETE FROM sharing_kept_answer WHERE begun_at < now() - interval '7 days' RETURNING 1)"
    " SELECT count(*) FROM gone",
)


@app.periodic(cron="41 3 * * *")
@app.task(name="sharing.clear_expired", queue="sharing", queueing_lock="sharing.clear_expired")
def clear_expired(timestamp: int) -> int:
    """Delete the access tokens that have expired, and the answers that were kept for seven days; how many rows."""
    return sum(rows(statement)[0][0] for statement in EXPIRED)
