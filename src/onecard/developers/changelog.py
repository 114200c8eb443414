"""What changed in the two interfaces, as ``changes.toml`` says it."""

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from onecard.developers.reference import Words


class Change(NamedTuple):
    """What changed on a day in one of the interfaces."""

    day: dt.date
    interface: str
    said: Words


@cache
def changes() -> list[Change]:
    """Every change, the newest first. The file is read once."""
    told = tomllib.loads((Path(__file__).parent / "changes.toml").read_text(encoding="utf-8"))
    return [Change(each["day"], each["interface"], {"zh": each["zh"], "en": each["en"]}) for each in told["change"]]
