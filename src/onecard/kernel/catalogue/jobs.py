"""Jobs of the catalogue, by the clock."""

from procrastinate.contrib.django import app

from onecard.foundation.actors import system
from onecard.kernel.catalogue import publishing


@app.periodic(cron="3 16 * * *")
@app.task(name="catalogue.end_due", queue="catalogue", queueing_lock="catalogue.end_due")
def end_due(timestamp: int) -> int:
    """Mark the versions whose last day has passed as ended, shortly after midnight in China (16:03 UTC); how many."""
    return publishing.end_due(system("worker"))
