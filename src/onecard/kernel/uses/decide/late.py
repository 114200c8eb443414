"""Journeys of which gates without a line tell late, in whatever order: each tap belongs to the journey of its moment.

A journey that had ended by itself when its end is told ends there, at its fare. One that is told after the next one
began does not end that. And where the end was told first, the beginning finds it.
"""

import datetime as dt

import msgspec

from onecard.kernel.uses.decide import further
from onecard.kernel.uses.decide.purses import back_of, has_room
from onecard.kernel.uses.lines import Folded, Line, Risk
from onecard.kernel.uses.load.facts import Card, Journey, Loaded, Spot
from onecard_kit.decide import Decision, Facts, OpenJourney, cost_of
from onecard_kit.terms import Leg
from onecard_kit.verdicts import Verdict

# Clocks of two gates may differ by as much.
SKEW = dt.timedelta(minutes=1)
CROSSED = "journey_taps_crossed"
STANDS_CHARGED = "journey_stands_charged"


class Begun(msgspec.Struct, frozen=True):
    """A journey whose beginning is told late: what is held for it, its `fare` and end (Unix seconds) where these were
    told before, and the one that is open, where that began later.
    """

    decision: Decision
    fare: Decision | None
    ended_at: float | None
    later: Journey | None


def terms_of(line: Line, spot: Spot, card: Card | None, loaded: Loaded) -> tuple[int | None, Journey | None]:
    """The item version that decides, and the journey this line ends: the latest that had begun and not ended at its
    moment.
    """
    if line.leg is not Leg.OUT or card is None:
        return spot.item_version_id, None
    journey = _journey_of(line, card, loaded)
    if journey is None or not has_room(loaded.purses, journey):
        return spot.item_version_id, None
    return journey.item_version_id, journey


def stands_charged(line: Line, card: Card | None, loaded: Loaded) -> Journey | None:
    """The journey that this line would end, and that stays as it was charged: the purse cannot take what comes back."""
    if line.leg is not Leg.OUT or card is None:
        return None
    journey = _journey_of(line, card, loaded)
    return None if journey is None or has_room(loaded.purses, journey) else journey


def note_charged(line: Line, journey: Journey, spot: Spot, folded: Folded) -> None:
    """Let somebody give back by hand what did not fit."""
    detail: dict[str, object] = {
        "terminal": line.terminal_id, "use": str(line.id), "journey": str(journey.id), "place": spot.place.division,
        "fen": back_of(journey) + journey.back_owed_fen,
    }  # fmt: skip
    folded.risks.append(Risk(STANDS_CHARGED, f"card:{journey.card_id}", detail))


def note_crossed(line: Line, card: Card | None, spot: Spot, loaded: Loaded, folded: Folded) -> None:
    """A tap in the middle of a journey that has its end: two journeys may have been taken for one, at another fare.
    That is for a person to say.
    """
    if line.leg is None or card is None:
        return
    assert loaded.past is not None
    at, skew = line.at.timestamp(), SKEW.total_seconds()
    for journey, began, ended in loaded.past.journeys.ended.get((card.card_id, line.item), ()):
        if began + skew < at < ended - skew:
            detail: dict[str, object] = {
                "terminal": line.terminal_id, "use": str(line.id), "journey": str(journey),
                "place": spot.place.division,
            }  # fmt: skip
            folded.risks.append(Risk(CROSSED, f"card:{card.card_id}", detail))


def _journey_of(line: Line, card: Card, loaded: Loaded) -> Journey | None:
    assert loaded.past is not None
    key, at, among = (card.card_id, line.item), line.at.timestamp(), loaded.past.journeys
    known = (loaded.further.journeys.get(key), *among.overtaken.get(key, ()), *among.left.get(key, ()))
    fit = [each for each in known if each is not None and each.at - SKEW.total_seconds() <= at < each.ends_by]
    return max(fit, key=lambda each: each.at, default=None)


def begun(line: Line, card: Card | None, facts: Facts, decision: Decision, loaded: Loaded) -> Begun | None:
    """What is known already of the journey that a line begins; None where it begins none, or all is as usual."""
    if line.leg is not Leg.IN or card is None or decision.verdict is not Verdict.ADMITTED or not decision.spent:
        return None
    assert loaded.past is not None
    if facts.item is None or facts.item.journey is None:
        return None
    key, at = (card.card_id, line.item), line.at.timestamp()
    later = loaded.further.journeys.get(key)
    later = later if later is not None and later.at > at else None
    ends_by = min(at + facts.item.journey.ends_after_hours * 3600, later.at if later is not None else float("inf"))
    waiting = loaded.past.journeys.waiting.get(key, [])
    out = min((each for each in waiting if at - SKEW.total_seconds() <= each[0] < ends_by), default=None)
    fare = _fare(facts, decision, at, out) if out is not None else None
    if later is None and fare is None:
        return None
    if later is not None:
        del loaded.further.journeys[key]  # `go_on` puts it back
    if fare is None or out is None:
        return Begun(decision, None, None, later)
    waiting.remove(out)
    held_fen = min(decision.hold_fen or 0, fare.paid_fen)
    return Begun(msgspec.structs.replace(decision, hold_fen=held_fen), fare, out[0], later)


def _fare(facts: Facts, decision: Decision, at: float, out: tuple[float, str]) -> Decision | None:
    """The fare to where somebody tapped out, on the terms of the beginning."""
    minutes = max(0, int(out[0] - at) // 60)
    concession = decision.concession.key if decision.concession is not None else None
    changed = facts.changed_minutes_ago
    return cost_of(
        msgspec.structs.replace(
            facts,
            leg=Leg.OUT,
            place=msgspec.structs.replace(facts.place, point=out[1]),
            journey=OpenJourney(facts.place.point, minutes, concession, decision.hold_fen or 0),
            changed_minutes_ago=None if changed is None else changed + minutes,
        )
    )


def go_on(line: Line, begun: Begun, card: Card, loaded: Loaded, folded: Folded) -> None:
    """End a journey that was just begun where that is known; else keep it until its end is told in this group."""
    assert loaded.past is not None
    key = (card.card_id, line.item)
    journey = loaded.further.journeys.pop(key)
    if begun.fare is not None and begun.ended_at is not None:
        ended_at = dt.datetime.fromtimestamp(begun.ended_at, dt.UTC)
        further.leave_open(max(ended_at, line.at), journey, card.holder_id, loaded, folded, begun.fare)
    if begun.later is None:
        return
    loaded.further.journeys[key] = begun.later
    if begun.fare is None:
        journey = msgspec.structs.replace(journey, ends_by=min(journey.ends_by, begun.later.at))
        loaded.past.journeys.overtaken.setdefault(key, []).append(journey)


def leave_overtaken(loaded: Loaded, folded: Folded) -> None:
    """End the journeys by themselves after which their holders began another, and whose end was not told."""
    if loaded.past is None:
        return
    holders = {card.card_id: card.holder_id for card in loaded.by_number.values()}
    for journeys in list(loaded.past.journeys.overtaken.values()):
        for journey in list(journeys):
            at = dt.datetime.fromtimestamp(journey.ends_by, dt.UTC)
            further.leave_open(at, journey, holders[journey.card_id], loaded, folded)
