"""The one clock. Moments are aware UTC datetimes; days are the calendar days of Asia/Shanghai."""

import datetime as dt
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """The present moment in UTC."""
    return dt.datetime.now(dt.UTC)


def day_of(moment: dt.datetime) -> dt.date:
    """The calendar day in Asia/Shanghai on which a moment falls; birthdays, quotas and `ref` days turn over here."""
    return moment.astimezone(CHINA).date()


def minute_of(moment: dt.datetime) -> int:
    """The minute of the day in Asia/Shanghai at a moment, 0 to 1,439."""
    local = moment.astimezone(CHINA)
    return local.hour * 60 + local.minute


def today() -> dt.date:
    """The present calendar day in Asia/Shanghai."""
    return day_of(now())
