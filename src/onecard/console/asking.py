"""What would become of a use: this card, this item, this point, this time, by the function that decides."""

import datetime as dt

from onecard.foundation import clock
from onecard.foundation.web import bridge
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import explain
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.disclosures import Named, disclose_card
from onecard.kernel.uses.explain import Explanation, WhatIf
from onecard_kit.terms import Leg, Medium
from onecard_kit.verdicts import WORDS, Verdict


def what_if(
    actor: StaffActor,
    *,
    card: str,
    item: str,
    point: str,
    at: dt.datetime | None,
    medium: str,
    leg: str,
    amount_fen: int | None,
    reason: str,
) -> Explanation:
    """Ask for a reason, which leaves a fact about the holder. Nothing of the use is written, and no bank is asked."""
    shown = disclose_card(actor, Named(number=card), item, point, Medium(medium) if medium else None, reason)
    asked = WhatIf(
        shown.terminal_id, item, shown.presented, at or clock.now(), amount_fen, Leg(leg) if leg else None, bank=None
    )
    return bridge.run(lambda connection: explain.what_if(connection, asked, Memory()))


def verdict(explained: Explanation) -> tuple[dict[str, str], str]:
    """A verdict in words, and its tone."""
    told = WORDS[explained.verdict]
    return {"zh": told.zh, "en": told.en}, "ok" if explained.verdict is Verdict.ADMITTED else "warn"
