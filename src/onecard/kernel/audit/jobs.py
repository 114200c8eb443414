"""Jobs of the audit trail."""

from uuid import UUID

from procrastinate.contrib.django import app

from onecard.foundation.actors import system
from onecard.foundation.errors import Conflict
from onecard.foundation.jobs import PATIENT
from onecard.kernel.audit import exports, looking
from onecard.kernel.audit import verification as chain_check


@app.task(name="audit.export", queue="audit", retry=PATIENT)
def export(export: str) -> int:
    """Write a list of facts that an officer asked for; how many it holds."""
    return exports.write(UUID(export))


@app.task(name="audit.verify", queue="audit", retry=PATIENT)
def verify(verification: str) -> int:
    """Recompute the chain as far as it was sealed when it was asked for; how many faults."""
    return chain_check.verify(UUID(verification))


@app.periodic(cron="37 4 * * *")
@app.task(name="audit.verify_daily", queue="audit", queueing_lock="audit.verify_daily")
def verify_daily(timestamp: int) -> None:
    """Ask for the day's verification, unless one is under way."""
    try:
        chain_check.ask(system("worker"))
    except Conflict:
        return


@app.periodic(cron="* * * * *")
@app.task(name="audit.look_for_bulk", queue="audit", queueing_lock="audit.look_for_bulk")
def look_for_bulk(timestamp: int) -> int:
    """Look back over the facts since the last turn for who looked at very many; how many risk facts came of it."""
    return looking.look_back()


@app.periodic(cron="23 * * * *")
@app.task(name="audit.drop_exports", queue="audit", queueing_lock="audit.drop_exports")
def drop_exports(timestamp: int) -> int:
    """Drop the lists whose day is over; how many."""
    return exports.drop_expired()
