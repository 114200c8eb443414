"""The sandbox (沙箱) of a demo node: a terminal that is ours to try, others to pair, and test holders. All synthetic.

It lies in a file that the demo writes (`onecard.demo.sandbox`); a node that is no demo has none.
"""

from functools import lru_cache
from pathlib import Path

import msgspec
from django.conf import settings


class Said(msgspec.Struct, frozen=True):
    """Words in both languages."""

    zh: str
    en: str

    @property
    def both(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


class Paired(msgspec.Struct, frozen=True):
    """A terminal that was paired: what proves that a request is its own."""

    terminal: str
    key_id: int
    key: str
    algorithm: str
    journal: str


class Unpaired(msgspec.Struct, frozen=True):
    """A terminal that waits for whoever pairs it."""

    terminal: str
    pairing_code: str


class TestHolder(msgspec.Struct, frozen=True):
    """A synthetic person: a name of its own for forms, what to expect of it, and the token of its phone."""

    name: str
    said: Said
    token: str


class TestItem(msgspec.Struct, frozen=True):
    """An item that the sandbox's point offers."""

    code: str
    said: Said


class Sandbox(msgspec.Struct, frozen=True):
    """What a demo node lends to whoever wants to try."""

    gateway: str
    trial: Paired
    terminals: list[Unpaired]
    holders: list[TestHolder]
    items: list[TestItem]


def here() -> Sandbox | None:
    """This node's sandbox; None where it is no demo, or one without."""
    if not (settings.ONECARD_DEMO and settings.ONECARD_SANDBOX):
        return None
    path = Path(settings.ONECARD_SANDBOX)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _read(path: Path, _written: int) -> Sandbox:
    """The file as it was written last."""
    return msgspec.json.decode(path.read_bytes(), type=Sandbox)
