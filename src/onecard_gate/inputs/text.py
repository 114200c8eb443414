"""Pasted text: a code on a line of its own; or a line of JSON, from a till or from staff, that says more.

OC1.QRD2…
{"code": "OC1.QRD2…", "item": "payments.shop_purchase", "amount_fen": 1250}
{"code": "OC1.QRD2…", "manual": true, "reason": "phone broke down"}
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from onecard_gate.asked import Asked
from onecard_gate.inputs import wedge
from onecard_kit.terms import Leg


class TextAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of JSON: what `Asked` says, without a card."""

    code: str
    item: str | None = None
    amount_fen: int | None = None
    leg: Leg | None = None
    manual: bool = False
    reason: str | None = None


LINE_CHARS_MAX: Final = 4096


def lines_of(file: int) -> Iterator[str]:
    """The lines of an open file; one that is longer than any presentation comes in parts, and none ends the input."""
    with open(file, encoding="utf-8", errors="replace", closefd=False) as opened:
        yield from iter(lambda: opened.readline(LINE_CHARS_MAX), "")


def presentations(lines: Iterable[str]) -> Iterator[Asked]:
    """What the lines say. One that is neither is a code that nobody made, and is refused as such."""
    for line in lines:
        if line.strip():
            yield of_line(line)


def of_line(line: str) -> Asked:
    if line.lstrip().startswith("{"):
        try:
            told = msgspec.json.decode(line, type=TextAsked)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return Asked(code=line.strip())
        reason = told.reason[:200] if told.reason is not None else None
        return Asked(told.code, None, told.item, told.amount_fen, told.leg, told.manual, reason)
    return Asked(code=wedge.clean(line))
