"""Whether gateway and department API answer at this moment: each one's own ``GET /health``. Blocks its thread for
`ANSWER_S` at most for each.
"""

import os
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from onecard.developers import asking, department
from onecard.foundation.errors import Unavailable

ANSWER_S: Final = 2.0
GATEWAY: Final = "ONECARD_GATEWAY_URL"
PATH: Final = "/health"


class Row(NamedTuple):
    """One interface: whether it answers well; None where these pages do not know where it is."""

    interface: str
    well: bool | None


def rows() -> list[Row]:
    """Gateway and department API."""
    return [
        Row("gateway", _is_well(os.environ.get(GATEWAY, ""), asking.gateway_silent())),
        Row("department", _is_well(os.environ.get(department.URL, ""), asking.api_silent())),
    ]


def _is_well(base: str, silent: Unavailable) -> bool | None:
    if not urlsplit(base).hostname:
        return None
    try:
        return asking.ask(base, "GET", PATH, None, {}, silent, ANSWER_S).status == 200
    except Unavailable:
        return False
