"""Jobs of the ledger, by the clock; and the partitions every partitioned table needs ahead of time.

A job that failed is not tried again: the next turn of the clock does what it left.
"""

from django.db import transaction
from procrastinate.contrib.django import app

from onecard.foundation.postgres.raw import rows, wait_at_most
from onecard.kernel.ledger import actions


@app.periodic(cron="* * * * *")
@app.task(name="ledger.expire_holds", queue="ledger", queueing_lock="ledger.expire_holds")
def expire_holds(timestamp: int) -> int:
    """Expire the holds that ran out, batch by batch, each in its own transaction; how many."""
    expired = 0
    while batch := actions.expire_holds():
        expired += batch
    return expired


@app.periodic(cron="7 * * * *")
@app.task(name="ledger.fold_accounts", queue="ledger", queueing_lock="ledger.fold_accounts")
def fold_accounts(timestamp: int) -> int:
    """Move the folds of accounts without a limit, so that reading a balance sums an hour at most."""
    return actions.fold_accounts()


@app.periodic(cron="13 3 * * *")
@app.task(name="foundation.make_partitions", queue="foundation", queueing_lock="foundation.make_partitions")
def make_partitions(timestamp: int) -> list[str]:
    """Make the partitions of the days and months to come and drop those past keeping; their names.

    A new partition locks out everybody, and whoever comes while it waits for its lock waits too: a second, no longer. A
    night later is early enough.
    """
    with transaction.atomic():
        wait_at_most(lock_s=1)
        done = rows("SELECT action, partition FROM make_partitions()")
    return [f"{action} {partition}" for action, partition in done]
