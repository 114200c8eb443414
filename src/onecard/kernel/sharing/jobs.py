"""Jobs of sharing, by the clock."""

from procrastinate.contrib.django import app

from onecard.foundation.postgres.raw import rows

EXPIRED = (
    "WITH gone AS (DELETE FROM oauth2_provider_accesstoken WHERE expires < now() RETURNING 1) SELECT count(*) FROM gone"
)


@app.periodic(cron="41 3 * * *")
@app.task(name="sharing.clear_expired", queue="sharing", queueing_lock="sharing.clear_expired")
def clear_expired(timestamp: int) -> int:
    """Delete the access tokens that have expired; how many."""
    cleared: int = rows(EXPIRED)[0][0]
    return cleared
