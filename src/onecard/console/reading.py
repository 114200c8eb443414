"""View values of the overview: figures with their time."""

import datetime as dt
from dataclasses import dataclass

from django.core.cache import caches

from onecard.foundation import clock
from onecard.kernel.cards import queries as cards
from onecard.kernel.cards import words
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.ecards import queries as ecards
from onecard.kernel.holders import queries as holders
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import queries as uses
from onecard_kit.verdicts import WORDS, Verdict

TONES = {"active": "ok", "temp_lost": "warn", "lost": "bad", "locked": "bad"}


@dataclass(frozen=True)
class Figures:
    """Counts of the officer's places at a moment."""

    at: dt.datetime
    holders: int
    cards: int
    active: int
    ecards: int
    states: list[tuple[dict[str, str], int, float, str]]
    uses: list[tuple[dict[str, str], dict[str, str], int, bool]]

    @property
    def coverage(self) -> float:
        """E-cards in percent of active cards."""
        return 100 * self.ecards / self.active if self.active else 0.0


def figures(actor: StaffActor) -> Figures:
    """The figures of the places where the officer may read figures; at most a minute old."""
    places = actor.places_of("figures.read")
    key = "figures:" + ",".join(places)
    found: Figures | None = caches["figures"].get(key)
    if found is None:
        found = _count(places)
        caches["figures"].set(key, found)
    return found


def _count(places: tuple[str, ...]) -> Figures:
    by_state = cards.count_by_state(places)
    total = sum(by_state.values())
    shown = [
        (words.CARD_STATES[state], by_state[state], 100 * by_state[state] / total, TONES.get(state.value, "idle"))
        for state in CardState
        if by_state.get(state)
    ]
    return Figures(
        at=clock.now(),
        holders=holders.count(places),
        cards=total,
        active=by_state.get(CardState.ACTIVE, 0),
        ecards=ecards.count_open(places),
        states=shown,
        uses=_uses_today(places),
    )


def _uses_today(places: tuple[str, ...]) -> list[tuple[dict[str, str], dict[str, str], int, bool]]:
    """Today's uses in words: item, verdict, how many, admitted or not."""
    today = clock.today()
    names = {item.code: {"zh": item.name.zh, "en": item.name.en} for item in catalogue.in_force(today)}
    return [
        (
            names.get(item, {"zh": item, "en": item}),
            {"zh": WORDS[verdict].zh, "en": WORDS[verdict].en},
            number,
            verdict is Verdict.ADMITTED,
        )
        for item, verdict, number in uses.count_on(today, places)
    ]
