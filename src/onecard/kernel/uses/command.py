"""`onecard explain use` and `onecard explain what-if`: every rule that a decision looked at, and why which one won.

Both leave a fact with the reason that was given. What they print names no person.
"""

import argparse
import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID

import asyncpg
import msgspec

from onecard.foundation import clock
from onecard.foundation.errors import BadInput, Unavailable
from onecard.foundation.postgres import urls
from onecard.foundation.terminal import speaks_chinese
from onecard.kernel.staff.command import acting
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.disclosures import Named, disclose_card, disclose_use
from onecard.kernel.uses.explain import ExplainedStep, Explanation, WhatIf, of_use, what_if
from onecard_kit.reasons import Words, at_gate
from onecard_kit.terms import Leg, Medium

BANK_URL = "ONECARD_BANK_URL"


def explain_use(arguments: argparse.Namespace) -> int:
    """Why a recorded use came to what it did, by the facts as they stood."""
    use_id: UUID = arguments.use
    disclose_use(acting(arguments), use_id, arguments.reason)
    return _show(arguments, lambda connection: of_use(connection, use_id, Memory()))


def explain_what_if(arguments: argparse.Namespace) -> int:
    """What would become of a use of an item at a point and a moment; nothing comes of asking."""
    at, named = _moment(arguments.at), Named(arguments.card, arguments.holder)
    medium = Medium(arguments.medium) if arguments.medium else None
    shown = disclose_card(acting(arguments), named, arguments.item, arguments.point, medium, arguments.reason)
    asked = WhatIf(
        shown.terminal_id,
        arguments.item,
        shown.presented,
        at,
        arguments.amount_fen,
        Leg(arguments.leg) if arguments.leg else None,
        bank=None if os.environ.get(BANK_URL) else "away",
    )
    return _show(arguments, lambda connection: what_if(connection, asked, Memory()))


def _moment(text: str | None) -> dt.datetime:
    """A moment in ISO 8601, now by default; without an offset it is China's."""
    if text is None:
        return clock.now()
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            "MOMENT_MALFORMED", f"{text} 不是时间。", f"{text} is no moment; expected YYYY-MM-DDTHH:MM."
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=clock.CHINA)


def _show(arguments: argparse.Namespace, ask: Callable[[asyncpg.Connection], Awaitable[Explanation]]) -> int:
    explained = asyncio.run(_asked(ask))
    if arguments.json:
        print(msgspec.json.encode(explained.plain()).decode())
    else:
        for line in lines(explained):
            print(line)
    return 0


async def _asked(ask: Callable[[asyncpg.Connection], Awaitable[Explanation]]) -> Explanation:
    connection = await asyncpg.connect(urls.of_environment())
    try:
        return await ask(connection)
    except asyncpg.LockNotAvailableError:
        raise Unavailable(
            "CARD_BUSY",
            "该卡正在使用。",
            "The card is in use at this moment.",
            next_zh="请重试。",
            next_en="Try again.",
        ) from None
    finally:
        await connection.close()


def lines(explained: Explanation) -> Iterator[str]:
    """An explanation for a reader: what it came to and why, then the rules in the order of the decision."""
    yield from (_said(each) for each in explained.reasons)
    if explained.gate is not None:
        yield _said(at_gate(explained.gate))
    if explained.differs is not None:
        yield _said(explained.differs)
    yield ""
    yield from (_line(step) for step in explained.steps)
    if any(step.as_recorded for step in explained.steps):
        yield ""
        yield _said({"zh": "* 当时的情况未留存，按记录的结果推定。", "en": "* Not kept; taken from what was recorded."})


def _line(step: ExplainedStep) -> str:
    mark = "*" if step.as_recorded else " "
    return f"{mark} {step.zh if speaks_chinese() else step.en}"


def _said(words: Words) -> str:
    return words["zh" if speaks_chinese() else "en"]
