"""Jobs of e-cards."""

import os

from procrastinate.contrib.django import app

from onecard.kernel.ecards import lists


@app.periodic(cron="* * * * *")
@app.task(name="ecards.build_lists", queue="ecards", queueing_lock="ecards.build_lists")
def build_lists(timestamp: int) -> int:
    """Bring the status lists of today and tomorrow up to date; how many were made. One that failed is not tried again:
    the next minute does what it left."""
    return lists.build(_issuer())


@app.task(name="ecards.sign_lists", queue="ecards")
def sign_lists() -> int:
    """The same at once, queued with a change of the key that signs."""
    return lists.build(_issuer())


def _issuer() -> str:
    return os.environ.get("ONECARD_NODE", "320600")
