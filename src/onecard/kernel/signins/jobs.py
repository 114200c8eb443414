"""Jobs of the sign-ins, by the clock."""

from procrastinate.contrib.django import app

from onecard.foundation.postgres.raw import rows

# The worker may see when these rows lapse, and of all but codes nothing else.
TABLES = {
    "signins_publicsession": "expire_date",
    "signins_staffsession": "expire_date",
    "signins_throttle": "expires",
    "signins_code": "expires_at",
    "signins_invitation": "expires_at",
}


@app.periodic(cron="31 3 * * *")
@app.task(name="signins.clear_expired", queue="signins", queueing_lock="signins.clear_expired")
def clear_expired(timestamp: int) -> int:
    """Delete the sessions, codes and counted attempts that have lapsed; how many rows."""
    return sum(_clear(table, column) for table, column in TABLES.items())


def _clear(table: str, column: str) -> int:
    statement = f"WITH gone AS (DELETE FROM {table} WHERE {column} < now() RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608
    cleared: int = rows(statement)[0][0]
    return cleared
