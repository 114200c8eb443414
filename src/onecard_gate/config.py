"""`gate.toml`: what the people who set a gate up say of it. A key that is not known is refused with its path."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from onecard_gate.errors import BadConfig
from onecard_kit.terms import Leg

NAME: Final = "gate.toml"
_Positive = Annotated[int, msgspec.Meta(gt=0)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Barrier(_Table, frozen=True, kw_only=True):
    """What opens: a `command` that runs for each admission, or a `file` (a GPIO line's value) that reads `open_text`
    for `open_ms` milliseconds and then `shut_text`.
    """

    command: tuple[str, ...] = ()
    file: str | None = None
    open_text: str = "1"
    shut_text: str = "0"
    open_ms: _Positive = 1000


class Camera(_Table, frozen=True, kw_only=True):
    """A `file` that a camera's own program replaces with each picture; it is looked at each `every_ms`."""

    file: str
    every_ms: _Positive = 100


class Wedge(_Table, frozen=True, kw_only=True):
    """A scanner that types: a `device` under /dev/input, or a tty. `prefix` and `suffix` are what it was set to add."""

    device: str
    prefix: str = ""
    suffix: str = ""


class Reader(_Table, frozen=True, kw_only=True):
    """A PC/SC reader whose name holds `name`; none given: any."""

    name: str = ""


class Config(_Table, frozen=True, kw_only=True):
    """All of `gate.toml`.

    item, leg, amount_fen   what is presented here unless the input says otherwise; the item may be left out where the
                            point offers only one
    language                of the screen: zh, en or both
    ca_file                 certificates by which the platform is known, in place of the system's
    trust_connection        take new keys of the issuer over a connection without TLS, too (a closed network)
    sync_every_s            how often supplies are fetched while there is a line
    same_code_s             for so long the same code, still before the camera, is not presented again
    """

    item: str | None = None
    leg: Leg | None = None
    amount_fen: int | None = None
    language: Literal["zh", "en", "both"] = "both"
    ca_file: str | None = None
    trust_connection: bool = False
    sync_every_s: _Positive = 60
    same_code_s: _Positive = 5
    barrier: Barrier = Barrier()
    camera: Camera | None = None
    wedge: Wedge | None = None
    reader: Reader | None = None


SAMPLE: Final = """\
# 闸机配置 / What this gate is. All keys: docs/gate.md
# item = "transit.bus_ride"
# leg = "in"
language = "both"

# [barrier]
# file = "/sys/class/gpio/gpio17/value"

# [camera]
# file = "/run/camera/frame.jpg"

# [wedge]
# device = "/dev/input/by-id/usb-scanner-event-kbd"

# [reader]
# name = ""
"""


def read(path: Path) -> Config:
    """Read a configuration; a missing file says nothing of anything. Raises BadConfig with what is wrong."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(path, str(error)) from None
    try:
        config = msgspec.convert(told, Config)
    except msgspec.ValidationError as error:
        raise _bad(path, str(error)) from None
    if config.barrier.command and config.barrier.file is not None:
        raise _bad(path, "expected one of command and file - at `$.barrier`")
    return config


def _bad(path: Path, what: str) -> BadConfig:
    return BadConfig(f"{path} 不正确：{what}", f"{path} is not right: {what}")
