"""Finding a holder by what an officer types or scans: an exact number, an exact name, initials with a birth year, a
phone, or a code that the holder shows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from onecard.console.forms import wide_as_typed
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, NotFound
from onecard.kernel.cards import queries as cards
from onecard.kernel.holders import queries as holders
from onecard.kernel.holders.queries import Line
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import recognising

PAGE = 20
_CARD_NUMBER = re.compile(r"[A-Za-z0-9][0-9]{8}")
_IDENTITY_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")
_PHONE = re.compile(r"\+?[0-9]{11,15}")
_INITIALS = re.compile(r"([A-Za-z]{2,8})[\s,]*((?:19|20)[0-9]{2})")
_CODE = re.compile(r"[0-9A-Za-z.-]{60,400}")


@dataclass(frozen=True)
class Found:
    """Holders, masked; `after_id` asks for the next page, None if this is the last."""

    lines: list[Line]
    after_id: int | None


def find(actor: StaffActor, asked: str, after_id: int | None = None) -> Found:
    """The holders of the officer's places whom `asked` names. Its form says by what it is looked for.

    Raises BadInput for a form that is none of these, or a code that is not of now.
    """
    reader = actor.only("holders.read")
    # As an input method of Chinese writes them, digits and letters are wide ones; and people copy numbers in groups.
    typed = wide_as_typed(asked)
    joined = "".join(typed.split())
    for form, search in _EXACT:
        if form.fullmatch(joined):
            line = search(reader, joined)
            return Found([line] if line else [], None)
    if initials := _INITIALS.fullmatch(typed):
        page = holders.by_initials(reader, initials[1], int(initials[2]), after_id=after_id, limit=PAGE)
    elif _PHONE.fullmatch(joined):
        page = holders.by_phone(reader, joined, after_id=after_id, limit=PAGE)
    else:
        page = holders.by_name(reader, asked.strip(), after_id=after_id, limit=PAGE)
    return Found(page.lines, page.after_id)


def _by_card(reader: Actor, number: str) -> Line | None:
    try:
        return holders.by_id(reader, cards.by_number(number).holder_id)
    except NotFound:
        return None


def _by_code(reader: Actor, text: str) -> Line | None:
    try:
        return holders.by_id(reader, recognising.holder_of_code(text))
    except NotFound:
        return None


_EXACT: tuple[tuple[re.Pattern[str], Callable[[Actor, str], Line | None]], ...] = (
    (_IDENTITY_NUMBER, holders.by_number),
    (_CARD_NUMBER, _by_card),
    (_CODE, _by_code),
)


def unknown_form(refused: BadInput) -> bool:
    """Whether it was the form that was refused, and not what a code or a phone said of itself."""
    return refused.code == "NAME_FORM"
