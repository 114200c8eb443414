"""Jobs of webhooks, by the clock. A turn that failed is not tried again: the next one does what it left."""

from procrastinate.contrib.django import app

from onecard.connectors.webhooks import delivering
from onecard.kernel.messages import outbox


@app.periodic(cron="* * * * * */5")
@app.task(name="webhooks.deliver", queue="webhooks", queueing_lock="webhooks.deliver", lock="webhooks.deliver")
def deliver(timestamp: int) -> int:
    """Bring the messages that are due to their endpoints; how many were taken."""
    return delivering.deliver()


@app.periodic(cron="47 3 * * *")
@app.task(name="webhooks.clear", queue="webhooks", queueing_lock="webhooks.clear")
def clear(timestamp: int) -> int:
    """Delete messages of more than thirty days ago; how many."""
    return outbox.clear()
