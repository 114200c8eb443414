"""Jobs of uses, by the clock. One that failed is not tried again: the next turn does what it left."""

from procrastinate.contrib.django import app

from onecard.kernel.uses import journeys


@app.periodic(cron="*/5 * * * *")
@app.task(name="uses.end_journeys", queue="uses", queueing_lock="uses.end_journeys")
def end_journeys(timestamp: int) -> int:
    """End the journeys that nobody ended, at the most they can cost; how many."""
    return journeys.end_due()
