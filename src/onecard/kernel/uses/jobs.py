"""Jobs of uses, by the clock. One that failed is not tried again: the next turn does what it left."""

from procrastinate.contrib.django import app

from onecard.kernel.uses import journeys, risks


@app.periodic(cron="*/5 * * * *")
@app.task(name="uses.end_journeys", queue="uses", queueing_lock="uses.end_journeys")
def end_journeys(timestamp: int) -> int:
    """End the journeys that nobody ended, at the most they can cost; how many."""
    return journeys.end_due()


@app.periodic(cron="* * * * *")
@app.task(name="uses.look_for_risks", queue="uses", queueing_lock="uses.look_for_risks")
def look_for_risks(timestamp: int) -> int:
    """Look back over the uses since the last turn by the rules of risk kinds; how many risk facts came of it."""
    return risks.look_back()
