"""Jobs of uses. One by the clock that failed is not tried again: the next turn does what it left."""

from uuid import UUID

from procrastinate.contrib.django import app

from onecard.foundation.jobs import PATIENT
from onecard.kernel.uses import exports, figures, journeys, risks


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


@app.task(name="uses.export", queue="uses", retry=PATIENT)
def export(export: str) -> int:
    """Write a list of uses that an officer asked for; how many it holds."""
    return exports.write(UUID(export))


@app.periodic(cron="17 * * * *")
@app.task(name="uses.drop_exports", queue="uses", queueing_lock="uses.drop_exports")
def drop_exports(timestamp: int) -> int:
    """Drop the lists whose day is over; how many."""
    return exports.drop_expired()


@app.periodic(cron="* * * * *")
@app.task(name="uses.count_figures", queue="uses", queueing_lock="uses.count_figures")
def count_figures(timestamp: int) -> int:
    """Count the figures that are due; how many days."""
    return figures.count()
