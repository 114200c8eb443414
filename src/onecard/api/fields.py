"""What parameters and bodies are made of: each kind of value in one form only, so that a mistake is never read as
something else.
"""

import datetime as dt
import re
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

from onecard.kernel.sharing import pseudonyms

PAGE = 50
PAGE_MAX = 500
YEARS = range(2000, 2200)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")


class Asked(Schema):
    """Parameters or a body in which an unknown key is refused, so that a typing mistake is never ignored."""

    model_config = ConfigDict(extra="forbid")


def _form(pattern: re.Pattern[str], expected: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise ValueError(f"expected {expected}")
        return value

    return BeforeValidator(check)


def _only_text(value: Any) -> Any:
    if not isinstance(value, str | dt.date | dt.datetime | UUID):
        raise ValueError("expected a text")
    return value


def _moment(value: Any) -> Any:
    """RFC 3339; what no calendar holds is refused by the caller of this."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        moment = dt.datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
        if moment.year in YEARS:
            return moment.astimezone(dt.UTC)
    raise ValueError("expected a moment as 2026-03-01T08:30:00+08:00")


def _limit(value: Any) -> Any:
    if isinstance(value, str) and not _LIMIT.fullmatch(value):
        raise ValueError(f"expected 1 to {PAGE_MAX}")
    return value


Day = Annotated[
    dt.date,
    _form(_DAY, "a day as 2026-03-01"),
    BeforeValidator(_only_text),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Moment = Annotated[dt.datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Id = Annotated[
    UUID,
    _form(_ID, "a UUID in lower case"),
    BeforeValidator(_only_text),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": f"^{_ID.pattern}$"}),
]
Limit = Annotated[
    int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": PAGE_MAX})
]  # fmt: skip
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
Number = Annotated[
    int,
    _form(_NUMBER, "a number"),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 10**18 - 1}),
]
_STATUS = re.compile(r"[1-5][0-9]{2}")
StatusCode = Annotated[
    int, _form(_STATUS, "a status as 404"), WithJsonSchema({"type": "integer", "minimum": 100, "maximum": 599})
]
Trace = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]*$", max_length=100)]
Pseudonym = Annotated[str, StringConstraints(pattern=pseudonyms.PATTERN)]
Place = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Reason = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$", max_length=200)
]  # fmt: skip
# A text that somebody reads: no control characters.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
