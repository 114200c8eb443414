"""Queue a job by name: how something low causes something high without importing it.

The job appears with the commit of the caller's transaction and vanishes with its rollback.
"""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

PATIENT = RetryStrategy(max_attempts=30, linear_wait=30)
"""A job that somebody waits for is tried again for hours, each time half a minute later than the time before."""


def queue(name: str, /, **args: object) -> int:
    """Queue the job `name`, e.g. ``queue("cards.refresh_standing", holder_id=12)``, and return its id.

    Its queue is the primitive before the dot. Runs on Django's connection, inside its transaction. Arguments must
    survive JSON; ids only, never personal data.
    """
    return app.configure_task(name, queue=name.partition(".")[0]).defer(**args)  # type: ignore[arg-type]
