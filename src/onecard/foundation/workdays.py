"""Working days (工作日): what kind of day a calendar day is, by the holidays that the State Council publishes.

A weekend day that is made up for by a holiday is a working day. The library knows the years that were published; past
them a day is judged by its weekday alone, and `onecard check` says so.
"""

import datetime as dt
from functools import lru_cache

import chinese_calendar

KNOWN_FROM, KNOWN_TO = dt.date(2004, 1, 1), dt.date(max(day.year for day in chinese_calendar.holidays), 12, 31)


@lru_cache(maxsize=4096)
def kind_of(day: dt.date) -> str:
    """``working``, ``weekend`` or ``holiday``, as items of the catalogue name the kinds of day."""
    if not KNOWN_FROM <= day <= KNOWN_TO:
        return "weekend" if day.weekday() >= 5 else "working"
    is_off, name = chinese_calendar.get_holiday_detail(day)
    if not is_off:
        return "working"
    return "holiday" if name else "weekend"
