"""Jobs of sharing, by the clock."""

from procrastinate.contrib.django import app

from onecard.foundation import clock
from onecard.foundation.jobs import PATIENT
from onecard.foundation.postgres.raw import rows
from onecard.kernel.sharing import watches
from onecard.kernel.sharing.models import Watch

EXPIRED = (
    "WITH gone AS (DELETE FROM oauth2_provider_accesstoken WHERE expires < now() RETURNING 1)"
    " SELECT count(*) FROM gone",
    "WITH gone AS (DELETE FROM sharing_kept_answer WHERE begun_at < now() - interval '7 days' RETURNING 1)"
    " SELECT count(*) FROM gone",
)


@app.periodic(cron="41 3 * * *")
@app.task(name="sharing.clear_expired", queue="sharing", queueing_lock="sharing.clear_expired")
def clear_expired(timestamp: int) -> int:
    """Delete tokens that have expired, watches that ended, and answers kept for seven days; how many rows."""
    watches_gone, _ = Watch.objects.filter(until__lte=clock.today()).delete()
    return int(watches_gone) + sum(int(rows(statement)[0][0]) for statement in EXPIRED)


@app.task(name="sharing.tell_watchers", queue="sharing", retry=PATIENT)
def tell_watchers(card_id: int) -> None:
    """Tell the clients that watch a card's holder that the card changed. Twice tells them twice, which is allowed."""
    watches.tell(card_id)
