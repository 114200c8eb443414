"""Jobs of short messages. A page queues them in its own transaction."""

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from onecard.connectors.sms import sending
from onecard.connectors.sms.caller import NotTaken

# Within the minutes that a code is good for.
AGAIN = RetryStrategy(max_attempts=5, wait=5, linear_wait=10, retry_exceptions=[NotTaken])


@app.task(name="sms.send_code", queue="sms", retry=AGAIN)
def send_code(code_id: str) -> bool:
    """Send a code that somebody signs in with; whether there was anything to send."""
    return sending.send_code(UUID(code_id))
