"""Decide (判定): facts in, verdict with reasons out. No clock, no database; the same function at the server, at a gate,
and where somebody asks why.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from onecard_kit.codes import Via
from onecard_kit.terms import (
    ALL,
    COUNT_MAX,
    EVERYONE,
    FEN_MAX,
    LOCAL,
    Concession,
    DayKind,
    Function,
    Item,
    Leg,
    Manner,
    Means,
    Medium,
    Period,
    When,
    counted,
)
from onecard_kit.verdicts import Verdict

ACTIVE = "active"

# What a card's state means at a gate; `active` alone passes (domain: states of a card).
_REFUSED_STATES = {
    "allocated": Verdict.CARD_INACTIVE,
    "inactive": Verdict.CARD_INACTIVE,
    "temp_lost": Verdict.CARD_LOST,
    "lost": Verdict.CARD_LOST,
    "locked": Verdict.CARD_LOCKED,
    "cancelled_after_loss": Verdict.CARD_CANCELLED,
    "cancelled": Verdict.CARD_CANCELLED,
}


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where and by what a card is presented: the states of terminal, client, point and item there.

    `point` is its code (a station's name in fares), `hours` when it is open (none given: always), `capacity_count` what
    the point takes instead of what the item says, `attended` whether staff stand beside the terminal.
    """

    terminal_state: str
    client_state: str
    point_state: str
    item_state: str | None  # None: no such item
    offered: bool
    division: str  # GB/T 2260 code of the node: whose holders are local
    point: str = ""
    hours: tuple[When, ...] = ()
    media: tuple[Medium, ...] = (Medium.CODE, Medium.CARD)
    capacity_count: int | None = None
    attended: bool = False


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a gate knows of a card (卡况): states, issuing place and classes; no birth date, name or number.

    `classes` are (code, from day, to day), the last day exclusive, None for open.
    """

    card_state: str
    functions: Mapping[str, str]
    issuing_place: str
    classes: tuple[tuple[str, dt.date, dt.date | None], ...]


class Areas(msgspec.Struct, frozen=True):
    """Sets of places whose holders are treated alike (同城待遇): GB/T 2260 codes of two, four or six digits by name."""

    places: Mapping[str, tuple[str, ...]] = {}

    def holds(self, name: str, place: str) -> bool:
        return place.startswith(self.places.get(name, ()))


class Pass(msgspec.Struct, frozen=True, gc=False):
    """A pass (套票、年卡) of the holder: the item that sold it, and from what day to before what day it is good.

    `starts_on` is None while it waits for its first use, until `activate_by`; then it starts by itself the day after.
    `uses_left` is None without a limit.
    """

    id: str
    item: str
    activate_by: dt.date
    lasts_days: int
    starts_on: dt.date | None = None
    uses_left: int | None = None

    def good_on(self, day: dt.date) -> bool:
        """Whether it opens a gate on a day: not run out at the midnight that ends its last day, and not used up."""
        start = self.starts_on
        if start is None:
            start = day if day <= self.activate_by else self.activate_by + dt.timedelta(days=1)
        in_time = start <= day < start + dt.timedelta(days=self.lasts_days)
        return in_time and (self.uses_left is None or self.uses_left > 0)


class OpenJourney(msgspec.Struct, frozen=True, gc=False):
    """A journey that was begun: where (the point's code), how long ago, and on which terms.

    `concession` is the key of the one that was best at its start, for the most it can cost; `held_fen` is what its
    purse holds for it.
    """

    point: str
    minutes: int
    concession: str | None
    held_fen: int


class Facts(msgspec.Struct, frozen=True):
    """Everything a decision may look at. Amounts in whole fen; day and minute of the day in Asia/Shanghai.

    problem       what reading the medium came to (malformed, bad signature, out of its window); None: it is genuine
    quota_used    uses so far by rule name (fen for `Item.paid_rule`), in the period of each rule that holds `day`
    purse_free_fen, purse_room_fen   what may be spent, and added before the ceiling; None: no purse
    journey       the open journey of this card for this item; `item` is then the version it began on
    capacity_used uses at this point in the item's capacity period
    changed_minutes_ago  since the latest use of an item that `transfer.after` names, until now (not until a journey
                  began); None: none of late
    means         the holder's order of ways to pay; None: the item's
    via           who shows the code, by what it says of itself
    bank          what the bank answered when it was asked for exactly what is to pay: "approved", "refused", "silent";
                  None: it was not asked yet; "away": there is no bank to ask here
    """

    place: Place
    item: Item | None  # the version in force on `day`
    medium: Medium
    amount_fen: int | None  # named at the point, for items with an open price
    problem: Verdict | None
    replayed: bool
    standing: Standing | None
    day: dt.date
    quota_used: Mapping[str, int] = {}
    purse_free_fen: int | None = None
    purse_room_fen: int | None = None
    minute: int = 720
    day_kind: DayKind = DayKind.WORKING
    areas: Areas = Areas()
    leg: Leg | None = None
    journey: OpenJourney | None = None
    passes: tuple[Pass, ...] = ()
    capacity_used: int = 0
    changed_minutes_ago: int | None = None
    means: tuple[Means, ...] | None = None
    bank: str | None = "away"
    via: Via = Via.SELF


class Decision(msgspec.Struct, frozen=True):
    """A verdict and its effects. `spent`: the presentation was genuine and fresh, so its nonce or counter is used up.

    full_fen = paid_fen (by the holder) + funded_fen (by who funds the concession) + waived_fen (by the operator, for a
    change or a day's cap). `counts` are the rules this use counts against, with their periods and how much. `hold_fen`
    is held in the purse at the start of a journey. `ask_bank_fen`: nothing is decided before the bank was asked.
    """

    verdict: Verdict
    spent: bool = False
    full_fen: int = 0
    paid_fen: int = 0
    funded_fen: int = 0
    waived_fen: int = 0
    concession: Concession | None = None
    counts: tuple[tuple[str, str, int], ...] = ()
    means: Means | None = None
    hold_fen: int | None = None
    used_pass: Pass | None = None
    ask_bank_fen: int | None = None


class Step(msgspec.Struct, frozen=True):
    """One rule that was looked at: `rule` names it, `outcome` says what it came to.

    A check comes to ``passed`` or its refusing verdict; a concession to a value of `Fit`, with what it leaves to pay.
    """

    rule: str
    outcome: str
    left_fen: int | None = None


Trace = list[Step]


def decide(facts: Facts, trace: Trace | None = None) -> Decision:
    """Decide one use. The first refusal by precedence wins; then the best concession, ties by declared order.

    `trace`, where given, takes up every rule that was looked at, in order.
    """
    for name, check in _BEFORE_CARD:
        refusal = check(facts)
        if trace is not None:
            trace.append(Step(name, refusal or "passed"))
        if refusal is not None:
            return Decision(refusal)
    for name, check in _OF_CARD:
        refusal = check(facts)
        if trace is not None:
            trace.append(Step(name, refusal or "passed"))
        if refusal is not None:
            return Decision(refusal, spent=True)
    return _price(facts, trace)


# --- the ladder ---------------------------------------------------------------------------------------------------


def _terminal(facts: Facts) -> Verdict | None:
    if facts.place.terminal_state != ACTIVE:
        return Verdict.TERMINAL_SUSPENDED
    return Verdict.CLIENT_SUSPENDED if facts.place.client_state != ACTIVE else None


def _item(facts: Facts) -> Verdict | None:
    if facts.place.item_state is None:
        return Verdict.ITEM_UNKNOWN
    if facts.place.item_state != ACTIVE and not _on_the_way_out(facts):
        return Verdict.ITEM_SUSPENDED
    return Verdict.ITEM_NOT_IN_FORCE if facts.item is None else None


def _on_the_way_out(facts: Facts) -> bool:
    """Whether this ends a journey: who was let in is let out again, after closing time, when a class has run out, and
    where point or item were suspended or the offer was withdrawn meanwhile. The operator owes the way out; nobody owes
    it to a terminal or card that is not to be trusted. What is not genuine tells nothing of a journey.
    """
    return facts.leg is Leg.OUT and facts.journey is not None and facts.problem is None


def _point(facts: Facts) -> Verdict | None:
    place, item = facts.place, facts.item
    if place.point_state != ACTIVE and not _on_the_way_out(facts):
        return Verdict.POINT_SUSPENDED
    if not place.offered and not _on_the_way_out(facts):
        return Verdict.ITEM_NOT_OFFERED
    if _on_the_way_out(facts):
        return None
    if place.hours and not any(hours.holds(facts.day_kind, facts.minute) for hours in place.hours):
        return Verdict.POINT_CLOSED
    assert item is not None
    if item.when is not None and not item.when.holds(facts.day_kind, facts.minute):
        return Verdict.POINT_CLOSED
    return None


def _medium(facts: Facts) -> Verdict | None:
    item = facts.item
    assert item is not None
    manner = item.manner_of(facts.via)
    if facts.medium not in item.media or not _read_here(facts.medium, facts.place) or manner is Manner.REFUSE:
        return Verdict.MEDIUM_NOT_ACCEPTED
    if (facts.medium is Medium.NUMBER or manner is Manner.LOOK) and not facts.place.attended:
        return Verdict.NOT_ATTENDED
    if not _amount_fits(item, facts.amount_fen):
        return Verdict.AMOUNT_INVALID
    return Verdict.LEG_INVALID if (item.journey is None) != (facts.leg is None) else None


def _read_here(medium: Medium, place: Place) -> bool:
    """A number is read by staff, whatever the terminals of a point read."""
    return medium is Medium.NUMBER or medium in place.media


def _genuine(facts: Facts) -> Verdict | None:
    return facts.problem


def _fresh(facts: Facts) -> Verdict | None:
    return Verdict.REPLAYED if facts.replayed else None


def _card(facts: Facts) -> Verdict | None:
    standing = facts.standing
    if standing is None:
        return Verdict.CARD_UNKNOWN
    return None if standing.card_state == ACTIVE else _REFUSED_STATES[standing.card_state]


def _function(facts: Facts) -> Verdict | None:
    standing, item = facts.standing, facts.item
    assert standing is not None
    assert item is not None
    if item.function is not None and standing.functions.get(item.function) != ACTIVE:
        return Verdict.FUNCTION_INACTIVE
    return None


def _law(facts: Facts) -> Verdict | None:
    assert facts.item is not None
    return Verdict.LEGALLY_EXCLUDED if facts.item.excluded is not None else None


def _entitled(facts: Facts) -> Verdict | None:
    standing, item = facts.standing, facts.item
    assert standing is not None
    assert item is not None
    if _on_the_way_out(facts):
        return None
    if item.region != ALL and not _in_region(facts, item.region):
        return Verdict.NOT_ENTITLED
    if item.classes and classes_on(standing.classes, facts.day).isdisjoint(item.classes):
        return Verdict.NOT_ENTITLED
    return None


def _journey(facts: Facts) -> Verdict | None:
    item = facts.item
    assert item is not None
    if item.journey is None or item.price is None:
        return None
    if facts.leg is Leg.IN:
        fares = item.price.distance
        return Verdict.NO_FARE if fares is not None and facts.place.point not in fares.stations else None
    if facts.journey is None:
        return Verdict.NO_JOURNEY
    return Verdict.NO_FARE if _full_fen(facts) is None else None


def _quota(facts: Facts) -> Verdict | None:
    item = facts.item
    assert item is not None
    if item.limit is None or facts.leg is Leg.OUT:  # a journey counted when it began
        return None
    return Verdict.QUOTA_EXHAUSTED if facts.quota_used.get(item.rule(), 0) >= item.limit.count else None


def _capacity(facts: Facts) -> Verdict | None:
    item, place = facts.item, facts.place
    assert item is not None
    if item.capacity is None or facts.leg is Leg.OUT:
        return None
    count = place.capacity_count if place.capacity_count is not None else item.capacity.count
    return Verdict.CAPACITY_FULL if facts.capacity_used >= count else None


Check = Callable[[Facts], Verdict | None]
# Until here nothing is known of a card, and the presentation is not used up by a refusal.
_BEFORE_CARD: tuple[tuple[str, Check], ...] = (
    ("terminal", _terminal),
    ("item", _item),
    ("point", _point),
    ("medium", _medium),
    ("genuine", _genuine),
    ("fresh", _fresh),
)
_OF_CARD: tuple[tuple[str, Check], ...] = (
    ("card", _card),
    ("function", _function),
    ("law", _law),
    ("entitled", _entitled),
    ("journey", _journey),
    ("quota", _quota),
    ("capacity", _capacity),
)
LADDER = tuple(name for name, _ in (*_BEFORE_CARD, *_OF_CARD))


# --- the price ----------------------------------------------------------------------------------------------------


def _price(facts: Facts, trace: Trace | None) -> Decision:
    """What it costs this holder now, and whether it can be paid."""
    item = facts.item
    assert item is not None
    if item.price is None:
        return Decision(Verdict.ADMITTED, True, counts=counted(item, None, 0, facts.day))
    if item.journey is not None:
        return _begin(facts, trace) if facts.leg is Leg.IN else _end(facts, trace)
    full_fen = _full_fen(facts)
    assert full_fen is not None
    best = best_concession(facts, full_fen, trace)
    left_fen = full_fen if best is None else best.price.of(full_fen)
    paid_fen = _lessened(facts, left_fen, trace)
    used_pass = pass_for(facts, best.pass_) if best is not None and best.pass_ is not None else None
    means, refusal, ask_fen = _means(facts, full_fen, paid_fen)
    if trace is not None and item.price is not None:
        came_to = "asks:bank" if ask_fen is not None else f"paid:{means}" if means else "passed"
        trace.append(Step("funds", refusal or came_to, paid_fen))
    if refusal is not None:
        return Decision(refusal, spent=True)
    counts = counted(item, best.key if best else None, paid_fen, facts.day)
    return Decision(
        Verdict.ADMITTED, True, full_fen, paid_fen, full_fen - left_fen, left_fen - paid_fen, best, counts, means,
        used_pass=used_pass, ask_bank_fen=ask_fen,
    )  # fmt: skip


def cost_of(facts: Facts) -> Decision | None:
    """What a use costs its holder that has happened, whatever the checks would have said of it, as if the purse had no
    end and no bank were there. None where the terms cannot say it.
    """
    item = facts.item
    if item is None or facts.standing is None or not _amount_fits(item, facts.amount_fen):
        return None
    if (item.journey is None) != (facts.leg is None) or _journey(facts) is not None:
        return None
    endless = FEN_MAX * COUNT_MAX
    return _price(
        msgspec.structs.replace(facts, purse_free_fen=endless, purse_room_fen=endless, means=None, bank="away"), None
    )


def _begin(facts: Facts, trace: Trace | None) -> Decision:
    """Tap in: hold the most it can cost, on the concession that is best of it now."""
    item = facts.item
    assert item is not None
    assert item.price is not None
    most_fen = item.price.most_fen
    best = best_concession(facts, most_fen, trace)
    hold_fen = most_fen if best is None else best.price.of(most_fen)
    refusal = _purse_refuses(facts, hold_fen)
    if trace is not None:
        trace.append(Step("funds", refusal or "held", hold_fen))
    if refusal is not None:
        return Decision(refusal, spent=True)
    counts = counted(item, best.key if best else None, 0, facts.day)
    return Decision(Verdict.ADMITTED, True, concession=best, counts=counts, means=Means.PURSE, hold_fen=hold_fen)


def _end(facts: Facts, trace: Trace | None) -> Decision:
    """Tap out: the fare, on the terms of the journey's start or better ones; never more than was held."""
    item, full_fen = facts.item, _full_fen(facts)
    assert item is not None
    assert full_fen is not None
    best = _best_at_end(facts, full_fen, trace)
    left_fen = full_fen if best is None else best.price.of(full_fen)
    paid_fen = _lessened(facts, left_fen, trace)
    counts = (
        ((item.paid_rule, Period.DAY.of(facts.day), paid_fen),) if item.day_cap_fen is not None and paid_fen else ()
    )
    return Decision(
        Verdict.ADMITTED, True, full_fen, paid_fen, full_fen - left_fen, left_fen - paid_fen, best, counts, Means.PURSE
    )  # fmt: skip


def at_most(item: Item, concession: str | None) -> Decision:
    """How a journey ends that nobody ended: at the most it can cost, on the terms of its start."""
    assert item.price is not None
    full_fen = item.price.most_fen
    best = item.by_key.get(concession) if concession else None
    paid_fen = full_fen if best is None else best.price.of(full_fen)
    return Decision(
        Verdict.ADMITTED, True, full_fen, paid_fen, full_fen - paid_fen, 0, best, means=Means.PURSE
    )  # fmt: skip


def _lessened(facts: Facts, left_fen: int, trace: Trace | None) -> int:
    """What is paid after the discount for changing and up to the day's cap; the operator bears the rest."""
    item = facts.item
    assert item is not None
    if item.transfer is not None and left_fen:
        changed = _changed_minutes(facts) <= item.transfer.within_minutes
        left_fen = max(0, left_fen - item.transfer.off_fen) if changed else left_fen
        if trace is not None:
            trace.append(Step("transfer", "applied" if changed else "not_applied", left_fen))
    if item.day_cap_fen is not None:
        room_fen = max(0, item.day_cap_fen - facts.quota_used.get(item.paid_rule, 0))
        if trace is not None:
            trace.append(Step("day_cap", "applied" if room_fen < left_fen else "not_applied", min(left_fen, room_fen)))
        left_fen = min(left_fen, room_fen)
    return left_fen


def _changed_minutes(facts: Facts) -> float:
    """How long the change took, in minutes: up to now, or to where the journey that ends now began."""
    if facts.changed_minutes_ago is None:
        return math.inf
    begun_minutes_ago = facts.journey.minutes if facts.journey is not None else 0
    took_minutes = facts.changed_minutes_ago - begun_minutes_ago
    return took_minutes if took_minutes >= 0 else math.inf


def _purse_refuses(facts: Facts, fen: int) -> Verdict | None:
    if not fen:
        return None
    if facts.purse_free_fen is None:
        return Verdict.PURSE_MISSING
    return Verdict.FUNDS_SHORT if facts.purse_free_fen < fen else None


def _means(facts: Facts, full_fen: int, paid_fen: int) -> tuple[Means | None, Verdict | None, int | None]:
    """How it is paid, or why not, or what the bank has to be asked for first."""
    item = facts.item
    assert item is not None
    assert item.price is not None
    if item.price.payee == "holder.purse":
        if facts.purse_room_fen is None:
            return None, Verdict.PURSE_MISSING, None
        return None, Verdict.PURSE_FULL if facts.purse_room_fen < full_fen else None, None
    if item.price.payer != "holder.purse" or not paid_fen:
        return None, None, None
    refusal: Verdict | None = None
    for means in _order(facts):
        if means is Means.PURSE:
            short = _purse_refuses(facts, paid_fen)
            if short is None:
                return means, None, None
            refusal = refusal or short
        elif facts.bank is None:
            return means, None, paid_fen
        elif facts.bank == "approved":
            return means, None, None
        else:
            # What the bank said tells the holder more than that the purse is short.
            refusal = Verdict.BANK_SILENT if facts.bank == "silent" else Verdict.BANK_REFUSED
    return None, refusal or Verdict.FUNDS_SHORT, None


def _order(facts: Facts) -> tuple[Means, ...]:
    """The ways to pay in the holder's order: what the item takes, and the card can do."""
    assert facts.item is not None
    allowed = facts.item.means
    if Means.BANK in allowed and not _bank_reached(facts):
        allowed = tuple(means for means in allowed if means is not Means.BANK)
    if facts.means is None:
        return allowed
    chosen = tuple(means for means in facts.means if means in allowed)
    return (*chosen, *(means for means in allowed if means not in chosen))


def _bank_reached(facts: Facts) -> bool:
    standing = facts.standing
    return (
        facts.bank != "away" and standing is not None and standing.functions.get(Function.FINANCIAL) == ACTIVE
    )  # fmt: skip


def _amount_fits(item: Item, amount_fen: int | None) -> bool:
    open_fen = item.price.open_fen if item.price else None
    if open_fen is None:
        return amount_fen is None
    return amount_fen is not None and open_fen[0] <= amount_fen <= open_fen[1]


def _full_fen(facts: Facts) -> int | None:
    """The full price; None where the table has no fare between the two stations."""
    price = facts.item.price if facts.item else None
    if price is None:
        return 0
    if price.distance is not None:
        assert facts.journey is not None
        return price.distance.fen(facts.journey.point, facts.place.point)
    if price.hourly is not None:
        assert facts.journey is not None
        return price.hourly.of(facts.journey.minutes)
    return price.full_fen if price.full_fen is not None else facts.amount_fen


# --- concessions --------------------------------------------------------------------------------------------------


class Fit:
    """What a concession came to."""

    NOT_HELD = "not_held"  # the holder has not the class on this day, or no good pass
    OTHER_REGION = "other_region"  # the card was issued elsewhere
    NOT_NOW = "not_now"  # outside its days or hours
    USED_UP = "used_up"  # its quota of the period is used up
    NO_GAIN = "no_gain"  # it leaves as much to pay as the full price
    BEATEN = "beaten"  # another leaves less, or as little and was declared earlier
    BEST = "best"
    SINCE_START = "since_start"  # it was the best when the journey began
    AT_START = "at_start"  # it was judged when the journey began
    APPLIES = "applies"  # it does, but how much it left was not kept


def best_concession(facts: Facts, full_fen: int, trace: Trace | None = None) -> Concession | None:
    """The concession that leaves least to pay among those that apply and have quota left; ties by declared order."""
    item, standing = facts.item, facts.standing
    assert item is not None
    assert standing is not None
    if trace is not None:
        return _best_traced(facts, full_fen, trace)
    best, least_fen = None, full_fen
    for concession in _fitting(item, standing, facts):
        left_fen = concession.price.of(full_fen)
        if left_fen < least_fen and _applies_now(concession, facts):  # in this order: few are worth a closer look
            best, least_fen = concession, left_fen
    return best


def _best_traced(facts: Facts, full_fen: int, trace: Trace) -> Concession | None:
    """The same over all concessions, in declared order, with what each came to."""
    assert facts.item is not None
    best, least_fen, seen = None, full_fen, []
    for concession in facts.item.concession:
        why_not = fit(concession, facts)
        left_fen = concession.price.of(full_fen)
        if why_not is None and left_fen < least_fen:
            best, least_fen = concession, left_fen
        seen.append((concession, why_not, left_fen))
    for concession, why_not, left_fen in seen:
        came_to = Fit.BEST if concession is best else Fit.NO_GAIN if left_fen >= full_fen else Fit.BEATEN
        trace.append(Step(facts.item.rule(concession), why_not or came_to, left_fen))
    return best


def fit(concession: Concession, facts: Facts) -> str | None:
    """Why a concession does not apply, None if it does."""
    assert facts.standing is not None
    if concession.class_ is not None and not _has_class(concession, facts.standing, facts.day):
        return Fit.NOT_HELD
    if concession.region != ALL and not _in_region(facts, concession.region):
        return Fit.OTHER_REGION
    return _why_not_now(concession, facts)


def _best_at_end(facts: Facts, full_fen: int, trace: Trace | None) -> Concession | None:
    """The concession of the journey's start, or one without conditions that leaves less of this fare: what was best at
    the most a journey can cost need not be best at what it does cost. One with a quota is counted already, and stays.
    """
    item, standing, journey = facts.item, facts.standing, facts.journey
    assert item is not None
    assert standing is not None
    assert journey is not None
    kept = item.by_key.get(journey.concession) if journey.concession else None
    stays = kept is not None and kept.quota is not None
    best, least_fen = kept, full_fen if kept is None else kept.price.of(full_fen)
    for concession in () if stays else _fitting(item, standing, facts):
        left_fen = concession.price.of(full_fen)
        if left_fen < least_fen and not _has_conditions(concession):
            best, least_fen = concession, left_fen
    if trace is not None:
        trace.extend(_end_step(each, best, kept, facts, full_fen) for each in item.concession)
    return best


def _end_step(
    concession: Concession, best: Concession | None, kept: Concession | None, facts: Facts, full_fen: int
) -> Step:
    """What one concession came to at a journey's end."""
    assert facts.item is not None
    left_fen = concession.price.of(full_fen)
    stays = kept is not None and kept.quota is not None
    if concession is best:
        came_to = Fit.SINCE_START if concession is kept else Fit.BEST
    elif concession is not kept and (stays or _has_conditions(concession)):
        came_to = Fit.AT_START
    else:
        why_not = fit(concession, facts) if concession is not kept else None
        came_to = why_not or (Fit.NO_GAIN if left_fen >= full_fen else Fit.BEATEN)
    return Step(facts.item.rule(concession), came_to, left_fen)


def _has_conditions(concession: Concession) -> bool:
    """Whether it depends on more than class and place: on the hour, a quota or a pass."""
    return concession.when is not None or concession.quota is not None or concession.pass_ is not None


def _applies_now(concession: Concession, facts: Facts) -> bool:
    return not _has_conditions(concession) or _why_not_now(concession, facts) is None


def _why_not_now(concession: Concession, facts: Facts) -> str | None:
    """What changes from use to use: pass, day and hour, quota."""
    if concession.pass_ is not None and pass_for(facts, concession.pass_) is None:
        return Fit.NOT_HELD
    if concession.when is not None and not concession.when.holds(facts.day_kind, facts.minute):
        return Fit.NOT_NOW
    assert facts.item is not None
    if concession.quota is not None:
        used = facts.quota_used.get(facts.item.rule(concession), 0)
        return Fit.USED_UP if used >= concession.quota.count else None
    return None


def _fitting(item: Item, standing: Standing, facts: Facts) -> tuple[Concession, ...]:
    """The concessions that class and region allow. A city has few combinations of classes and places, and an item may
    have hundreds of rules, so the answer is kept beside the item, as long as the areas stay the same.
    """
    kept: tuple[Areas, dict[object, tuple[Concession, ...]]] | None = item.__dict__.get("fitting")
    if kept is None or kept[0] is not facts.areas or len(kept[1]) >= FITTING_KEPT_MAX:
        kept = item.__dict__["fitting"] = (facts.areas, {})
    key = (classes_on(standing.classes, facts.day), standing.issuing_place, facts.place.division)
    found = kept[1].get(key)
    if found is None:
        found = kept[1][key] = tuple(
            each
            for each in item.concession
            if (each.class_ is None or _has_class(each, standing, facts.day))
            and (each.region == ALL or _in_region(facts, each.region))
        )
    return found


FITTING_KEPT_MAX = 10_000


def _has_class(concession: Concession, standing: Standing, day: dt.date) -> bool:
    return concession.class_ == EVERYONE or concession.class_ in classes_on(standing.classes, day)


def pass_for(facts: Facts, item: str) -> Pass | None:
    """The holder's pass sold by `item` that is good on this day: one in use before one that waits."""
    good = [each for each in facts.passes if each.item == item and each.good_on(facts.day)]
    return min(good, key=lambda each: (each.starts_on is None, each.id), default=None)


@lru_cache(maxsize=65536)
def classes_on(classes: tuple[tuple[str, dt.date, dt.date | None], ...], day: dt.date) -> frozenset[str]:
    """The codes of the classes that hold on a day; few combinations live in a city, so they are kept."""
    return frozenset(code for code, start, end in classes if start <= day and (end is None or day < end))


def _in_region(facts: Facts, region: str) -> bool:
    """Whether the card was issued by the same city (the first four digits of GB/T 2260), or in the named set."""
    assert facts.standing is not None
    if region == LOCAL:
        return facts.standing.issuing_place[:4] == facts.place.division[:4]
    return facts.areas.holds(region, facts.standing.issuing_place)
