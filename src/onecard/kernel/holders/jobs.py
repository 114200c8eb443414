"""Jobs of holders."""

from procrastinate.contrib.django import app

from onecard.foundation.jobs import PATIENT
from onecard.kernel.holders import actions


@app.task(name="holders.rewrite_classes", queue="holders", retry=PATIENT)
def rewrite_classes(after_id: int = 0) -> int:
    """Write the from and to days of the classes of the next holders after an id; how many holders differed.

    The next batch is queued in the same transaction, so a worker that is killed loses nothing and goes on there.
    """
    return actions.rewrite_classes(after_id)
