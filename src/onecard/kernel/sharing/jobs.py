"""Jobs of sharing, by the clock."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from onecard.foundation.postgres.raw import rows
from onecard.kernel.sharing import watches

# What fails here is the database being away: worth an hour of trying.
PATIENT = RetryStrategy(max_attempts=12, linear_wait=30)
EXPIRED = (
    "WITH gone AS (DELETE FROM oauth2_provider_accesstoken WHERE expires < now() RETURNING 1)"
    " SELECT count(*) FROM gone",
    "WITH gone AS (DELETE FROM sharing_kept_answer WHERE begun_at < now() - interval '7 days' RETURNING 1)"
    " SELECT count(*) FROM gone",
    "WITH gone AS (DELETE FROM sharing_watch WHERE until < current_date RETURNING 1) SELECT count(*) FROM gone",
)


@app.periodic(cron="41 3 * * *")
@app.task(name="sharing.clear_expired", queue="sharing", queueing_lock="sharing.clear_expired")
def clear_expired(timestamp: int) -> int:
    """Delete tokens that have expired, watches that ended, and answers kept for seven days; how many rows."""
    return sum(rows(statement)[0][0] for statement in EXPIRED)


@app.task(name="sharing.tell_watchers", queue="sharing", retry=PATIENT)
def tell_watchers(card_id: int) -> None:
    """Tell the clients that watch a card's holder that the card changed. Twice tells them twice, which is allowed."""
    watches.tell(card_id)
