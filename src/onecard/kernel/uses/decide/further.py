"""What only some items look at and leave behind: journeys, passes, capacity, changes, the bank.

Apart from the fold, so that a plain use pays nothing for it.
"""

import datetime as dt
from uuid import UUID

import msgspec

from onecard.foundation import clock
from onecard.foundation.ids import beside
from onecard.kernel.uses.decide.purses import at_hand, clear, move_purse, take_back
from onecard.kernel.uses.lines import Charge, Folded, Line
from onecard.kernel.uses.load.facts import Card, Debt, Journey, Loaded, Spot
from onecard.kernel.uses.load.past import Journeys
from onecard.kernel.uses.settle import ENDED_BY_ITSELF, hold_id
from onecard_kit.admissions import Stands
from onecard_kit.decide import Decision, Facts, OpenJourney, Pass, at_most
from onecard_kit.terms import BORNE_BY_HOLDER, Item, Leg, Means

# A pass has its id beside that of the use that sold it.
SOLD = 3


def terms_of(line: Line, spot: Spot, card: Card | None, loaded: Loaded) -> tuple[int | None, Journey | None]:
    """The item version that decides, and the journey this line ends: a journey keeps the terms of its beginning. One
    past its time has ended by itself, whether or not the job that ends such has come by.
    """
    if line.leg is not Leg.OUT or card is None:
        return spot.item_version_id, None
    journey = loaded.further.journeys.get((card.card_id, line.item))
    if journey is None or journey.ends_by <= line.at.timestamp():
        return spot.item_version_id, None
    return journey.item_version_id, journey


def add(facts: Facts, line: Line, spot: Spot, item: Item, card: Card, loaded: Loaded, journey: Journey | None) -> Facts:
    """The facts with what this item looks at besides."""
    known, now = loaded.further, line.at.timestamp()
    has_bank = card.card_id in known.banks
    return msgspec.structs.replace(
        facts,
        journey=_open(journey, now) if journey is not None else None,
        passes=tuple(known.passes.get(card.holder_id, ())),
        capacity_used=known.capacities.get(capacity_key(item, spot, facts.day), 0) if item.capacity else 0,
        changed_minutes_ago=_changed(item, known.changes.get(card.card_id, {}), now),
        means=known.means.get((card.holder_id, item.code)),
        bank=line.bank if has_bank else "away",
    )


def _open(journey: Journey, now: float) -> OpenJourney:
    minutes = max(0, int(now - journey.at) // 60)
    return OpenJourney(journey.point, minutes, journey.concession, journey.held_fen)


def _changed(item: Item, changes: dict[str, float], now: float) -> int | None:
    """Minutes since the latest use of an item that the discount for changing names."""
    if item.transfer is None:
        return None
    latest = max((changes[code] for code in item.transfer.after if code in changes), default=None)
    return None if latest is None else max(0, int(now - latest) // 60)


def capacity_key(item: Item, spot: Spot, day: dt.date) -> tuple[int, str, str]:
    """Where a use at this point is counted: (point, rule, period)."""
    assert item.capacity is not None
    return spot.point_id, item.rule(), item.capacity.period.of(day)


def apply(
    line: Line, decision: Decision, spot: Spot, version: int | None, item: Item, card: Card, journey: Journey | None,
    loaded: Loaded, folded: Folded,
) -> Charge | None:  # fmt: skip
    """The effects of an admitted use of such an item; what it does to accounts."""
    if item.capacity is not None and line.leg is not Leg.OUT:
        key = capacity_key(item, spot, clock.day_of(line.at))
        loaded.further.capacities[key] = loaded.further.capacities.get(key, 0) + 1
        folded.further.filled[key] = folded.further.filled.get(key, 0) + 1
    if item.pass_ is not None:
        _sell(line, item, card, loaded, folded)
    if decision.used_pass is not None:
        _serve(line, decision.used_pass, card, loaded, folded)
    if line.leg is Leg.IN:
        return _begin(line, decision, spot, version, item, card, loaded, folded)
    if journey is not None:
        return _end(line, decision, item, journey, card, loaded, folded)
    if item.price is None:
        return None
    bank = loaded.further.banks.get(card.card_id) if decision.means is Means.BANK else None
    move_purse(loaded.purses, card.purse, item, decision)
    charge = Charge(line.id, line.id, item, decision, spot.operator, spot.sponsor, card.purse, bank)
    return _clear(charge, item, card, loaded) if item.fills_purse else charge


def _clear(charge: Charge, item: Item, card: Card, loaded: Loaded) -> Charge:
    """What comes into a purse pays first what its holder owes."""
    found = clear(loaded.purses, card.purse, loaded.further.debts.get(card.holder_id), charge.decision.full_fen)
    if found is None:
        return charge
    debt, cleared_fen = found
    loaded.further.debts[card.holder_id] = Debt(debt.account, debt.owed_fen - cleared_fen)
    return msgspec.structs.replace(charge, debt=debt.account, cleared_fen=cleared_fen)


def _sell(line: Line, item: Item, card: Card, loaded: Loaded, folded: Folded) -> None:
    assert item.pass_ is not None
    day, terms = clock.day_of(line.at), item.pass_
    id_, activate_by = str(beside(line.id, SOLD)), day + dt.timedelta(days=terms.activate_within_days)
    sold = Pass(id_, item.code, activate_by, terms.lasts_days, None, terms.uses)
    loaded.further.passes.setdefault(card.holder_id, []).append(sold)
    folded.further.sold.append({
        "id": id_, "holder_id": card.holder_id, "item": item.code, "sold_on": day, "activate_by": activate_by,
        "lasts_days": terms.lasts_days, "uses": terms.uses,
    })  # fmt: skip


def _serve(line: Line, used: Pass, card: Card, loaded: Loaded, folded: Folded) -> None:
    """A pass that waited starts today, or started by itself when its waiting ran out; then it has a use less."""
    starts_on = None
    if used.starts_on is None:
        starts_on = min(clock.day_of(line.at), used.activate_by + dt.timedelta(days=1))
    left = None if used.uses_left is None else used.uses_left - 1
    now = msgspec.structs.replace(used, starts_on=used.starts_on or starts_on, uses_left=left)
    held = loaded.further.passes[card.holder_id]
    held[held.index(used)] = now
    folded.further.served.append({"use_id": line.id, "pass_id": used.id, "starts_on": starts_on})


def _begin(
    line: Line, decision: Decision, spot: Spot, version: int | None, item: Item, card: Card, loaded: Loaded,
    folded: Folded,
) -> Charge:  # fmt: skip
    assert item.journey is not None
    assert version is not None
    assert card.purse is not None or not decision.hold_fen
    before = loaded.further.journeys.pop((card.card_id, item.code), None)
    if before is not None:
        leave_open(line.at, before, card.holder_id, loaded, folded)
    held_fen, ends_by = decision.hold_fen or 0, line.at + dt.timedelta(hours=item.journey.ends_after_hours)
    journey = Journey(
        card.card_id, item.code, line.id, version, spot.place.point, spot.operator, spot.sponsor, line.at.timestamp(),
        ends_by.timestamp(), card.purse or 0, decision.concession.key if decision.concession else None,
        hold_id(line.id) if held_fen else None, held_fen,
    )  # fmt: skip
    loaded.further.journeys[card.card_id, item.code] = journey
    folded.further.begun.append({
        "id": line.id, "card_id": card.card_id, "item": item.code, "item_version_id": version,
        "point": journey.point, "operator": journey.operator, "sponsor": journey.sponsor, "at": line.at,
        "ends_by": ends_by, "purse": journey.purse, "concession": journey.concession, "hold_id": journey.hold_id,
        "held_fen": held_fen, "borne_by": None,
    })  # fmt: skip
    move_purse(loaded.purses, card.purse, item, decision)
    return Charge(line.id, line.id, item, decision, spot.operator, spot.sponsor, card.purse)


def _end(
    line: Line, decision: Decision, item: Item, journey: Journey, card: Card, loaded: Loaded, folded: Folded
) -> Charge:  # fmt: skip
    take_back(loaded.purses, journey)
    free = loaded.purses.get(journey.purse, (None, None))[0]
    stood = at_hand(journey, item, decision, free or 0)
    charge = Charge(
        line.id, line.id, item, stood.decision, journey.operator, journey.sponsor, journey.purse, hold=journey.hold_id,
        held_fen=journey.held_fen, shortfall_fen=stood.shortfall_fen, borne_by=stood.borne_by,
        debtor=_debtor(stood, card.holder_id), back=journey.back,
    )  # fmt: skip
    close(line.at, journey, charge, item, loaded, folded, ended_by=line.id)
    return charge


def close(
    at: dt.datetime, journey: Journey, charge: Charge, item: Item, loaded: Loaded, folded: Folded,
    ended_by: UUID | None = None,
) -> None:  # fmt: skip
    """Note that a journey ended, and move its purse; whether it is open or not."""
    key, among = (journey.card_id, journey.item), loaded.past.journeys if loaded.past is not None else Journeys()
    if loaded.further.journeys.get(key) is journey:
        del loaded.further.journeys[key]
    for others in (among.left, among.overtaken):
        others[key] = [each for each in others.get(key, ()) if each is not journey]
    folded.further.ended.append({
        "id": journey.id, "ended_at": at, "ended_by": ended_by, "shortfall_fen": charge.shortfall_fen,
    })  # fmt: skip
    move_purse(loaded.purses, journey.purse, item, charge.decision, journey.held_fen)


def _debtor(stood: Stands, holder_id: int) -> int | None:
    return holder_id if stood.shortfall_fen and stood.borne_by == BORNE_BY_HOLDER else None


def end_by_itself(journey: Journey, item: Item, holder_id: int, fare: Decision | None = None) -> Charge:
    """What it costs to leave a journey open: the most it can, on the terms of its beginning, as far as it is held; or
    its `fare`, where that is known after all.
    """
    stood = at_hand(journey, item, fare or at_most(item, journey.concession))
    return Charge(
        beside(journey.id, ENDED_BY_ITSELF), journey.id, item, stood.decision, journey.operator, journey.sponsor,
        journey.purse, hold=journey.hold_id, held_fen=journey.held_fen, shortfall_fen=stood.shortfall_fen,
        borne_by=stood.borne_by, debtor=_debtor(stood, holder_id),
    )  # fmt: skip


def end_overdue(line: Line, card: Card, loaded: Loaded, folded: Folded) -> None:
    """Who taps out after its time finds the journey ended by itself, and it may be given back at once."""
    journey = loaded.further.journeys.get((card.card_id, line.item))
    if journey is not None and journey.ends_by <= line.at.timestamp():
        leave_open(line.at, journey, card.holder_id, loaded, folded)


def leave_open(
    at: dt.datetime, journey: Journey, holder_id: int, loaded: Loaded, folded: Folded, fare: Decision | None = None
) -> None:  # fmt: skip
    """A journey that nobody ended ends by itself, on its own version, when its holder taps in again or out too late."""
    item = loaded.further.items[journey.item_version_id]
    charge = end_by_itself(journey, item, holder_id, fare)
    close(at, journey, charge, item, loaded, folded)
    folded.charges.append(charge)


def bear(line: Line, borne_by: str, card: Card, loaded: Loaded, folded: Folded) -> None:
    """Note of a journey that a gate let begin who bears what its price exceeds of what is held."""
    key = (card.card_id, line.item)
    loaded.further.journeys[key] = msgspec.structs.replace(loaded.further.journeys[key], borne_by=borne_by)
    folded.further.begun[-1]["borne_by"] = borne_by
