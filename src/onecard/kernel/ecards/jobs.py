"""Jobs of e-cards."""

from procrastinate.contrib.django import app

from onecard.foundation import node
from onecard.kernel.ecards import lists


@app.periodic(cron="* * * * *")
@app.task(name="ecards.build_lists", queue="ecards", queueing_lock="ecards.build_lists")
def build_lists(timestamp: int) -> int:
    """Bring the status lists of today and tomorrow up to date; how many were made. One that failed is not tried again:
    the next minute does what it left."""
    return lists.build(node.code())


@app.task(name="ecards.sign_lists", queue="ecards")
def sign_lists() -> int:
    """The same at once, queued with a change of the key that signs."""
    return lists.build(node.code())
