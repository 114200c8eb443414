"""Jobs of the bank's connector, by the clock. A turn that failed is not tried again: the next one does what it left."""

import os

from procrastinate.contrib.django import app

from onecard.connectors.bank import settling
from onecard.connectors.bank.caller import Bank


@app.periodic(cron="* * * * * */10")
@app.task(name="bank.settle_orders", queue="bank", queueing_lock="bank.settle_orders", lock="bank.settle_orders")
def settle_orders(timestamp: int) -> int:
    """Bring the orders that are due to their end, if there is a bank to ask; how many came there."""
    bank = Bank.from_environment(os.environ)
    return settling.settle(bank) if bank is not None else 0


@app.periodic(cron="*/10 * * * *")
@app.task(name="bank.alarm", queue="bank", queueing_lock="bank.alarm")
def alarm(timestamp: int) -> int:
    """Tell people of orders that are a day old and not at their end; how many."""
    return settling.alarm()
