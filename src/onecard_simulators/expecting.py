"""What a resident may expect of a visit, by the published terms alone.

`expect` walks them in the order in which the documents name the reasons for a refusal (docs/api-gateway.md). It is
given what clocks, doors and the bank say; where they may say one thing or another, it is asked for each.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from onecard_simulators.resident import Asked, Expected, Outcome, Pass, Resident
from onecard_simulators.tariff import PURSE, Item, Json, Moment, Terms, discounted, holds, key_of

STATES = {
    "inactive": "CARD_INACTIVE",
    "temp_lost": "CARD_LOST",
    "lost": "CARD_LOST",
    "locked": "CARD_LOCKED",
    "cancelled": "CARD_CANCELLED",
    "cancelled_after_loss": "CARD_CANCELLED",
}


def expect(terms: Terms, who: Resident, asked: Asked) -> Outcome:
    """What a genuine and fresh presentation comes to."""
    item = terms.item(asked.item, asked.moment.day)
    if item is None:
        return Outcome(Expected("ITEM_UNKNOWN"))
    refusal = next(_refusals(terms, item, who, asked), None)
    if refusal is not None:
        return Outcome(Expected(refusal))
    if item.price is None:
        return _admitted(item, who, asked, Expected("ADMITTED"))
    if asked.leg == "in":
        return _in(terms, item, who, asked)
    return _out(terms, item, who, asked) if asked.leg == "out" else _at_once(terms, item, who, asked)


# --- Reasons against --------------------------------------------------------------------------------------------------


def _refusals(terms: Terms, item: Item, who: Resident, asked: Asked) -> Iterator[str]:
    """Every reason against, the first one first. Who was let in is let out, whatever the hour and what is offered."""
    leaves = asked.leg == "out" and item.code in who.journeys
    yield from _at_the_point(item, asked, leaves)
    if who.card_state != "active":
        yield STATES[who.card_state]
    function = item.declared.get("function")
    if function is not None and who.functions[function] != "active":
        yield "FUNCTION_INACTIVE"
    if "excluded" in item.declared:
        yield "LEGALLY_EXCLUDED"
    if not leaves and not _is_meant(terms, item, who, asked):
        yield "NOT_ENTITLED"
    if item.journeys:
        yield from _on_the_way(item, who, asked)
    if asked.leg == "out":
        return
    limit = item.declared.get("limit")
    if limit and who.used_up(item.rule(), limit, asked.moment.day):
        yield "QUOTA_EXHAUSTED"
    if asked.full:
        yield "CAPACITY_FULL"


def _at_the_point(item: Item, asked: Asked, leaves: bool) -> Iterator[str]:
    declared, place = item.declared, asked.place
    if item.code not in place.items and not leaves:
        yield "ITEM_NOT_OFFERED"
    opens = not place.hours or any(holds(each, asked.moment) for each in place.hours)
    if not leaves and not (opens and holds(declared.get("when"), asked.moment)):
        yield "POINT_CLOSED"
    number = asked.medium == "number"
    if asked.medium not in declared.get("media", ("code", "card")) or not (number or asked.medium in place.media):
        yield "MEDIUM_NOT_ACCEPTED"
    if number and not asked.attended:
        yield "NOT_ATTENDED"
    if not item.takes_amount(asked.amount_fen):
        yield "AMOUNT_INVALID"
    if item.journeys != (asked.leg is not None):
        yield "LEG_INVALID"


def _is_meant(terms: Terms, item: Item, who: Resident, asked: Asked) -> bool:
    region, classes = item.declared.get("region", "all"), item.declared.get("classes", ())
    if not terms.holds_for(region, who.place, asked.place.division):
        return False
    return not classes or any(who.counts_as(each, asked.moment.day) for each in classes)


def _on_the_way(item: Item, who: Resident, asked: Asked) -> Iterator[str]:
    here, begun = asked.place.code, who.journeys.get(item.code)
    if asked.leg == "out" and begun is None:
        yield "NO_JOURNEY"
    start = begun.point if asked.leg == "out" and begun is not None else here
    if item.stations and item.fare_fen(start, here) is None:
        yield "NO_FARE"


# --- Prices -----------------------------------------------------------------------------------------------------------


class Paid(NamedTuple):
    """How something is paid, or why it is not."""

    means: str | None = None
    refusal: str | None = None


def _in(terms: Terms, item: Item, who: Resident, asked: Asked) -> Outcome:
    """A journey begins: the most it can cost is held, on the terms that are best now."""
    best = _best(terms, item, who, asked, item.most_fen)
    held_fen = _left(best, item.most_fen)
    short = _short(who, held_fen)
    if short is not None:
        return Outcome(Expected(short))
    told = Expected("ADMITTED", held_fen=held_fen, concession=None if best is None else key_of(best))
    return _admitted(item, who, asked, told, best)


def _out(terms: Terms, item: Item, who: Resident, asked: Asked) -> Outcome:
    """A journey ends, on the terms of its beginning or on better ones that ask for nothing but class and place."""
    begun = who.journeys[item.code]
    full_fen = item.fare_fen(begun.point, asked.place.code) if item.stations else item.hourly_fen(asked.minutes)
    assert full_fen is not None
    best = item.concession(begun.concession)
    if best is None or "quota" not in best:
        plain = [each for each in item.concessions if not {"when", "quota", "pass"} & each.keys()]
        better = [each for each in plain if _gets(terms, item, who, asked, each)]
        best = min([best, *better], key=lambda each: _left(each, full_fen))
    left_fen = _left(best, full_fen)
    paid_fen = _lessened(item, who, asked, left_fen)
    key = None if best is None else key_of(best)
    told = Expected("ADMITTED", full_fen, paid_fen, left_fen - paid_fen, concession=key)
    capped = "day_cap_fen" in item.declared and paid_fen
    counts = ((item.paid_rule, asked.moment.day.isoformat(), paid_fen),) if capped else ()
    returns = (*item.counts(best, 0, Moment.at(begun.earliest, {}).day), *counts)
    return Outcome(told, purse_fen=-paid_fen, counts=counts, returns=returns)


def left_open(item: Item, begun: Outcome) -> Outcome:
    """What became of a journey's beginning when nobody ended it: it costs what was held, and may be given back."""
    held_fen = begun.told.held_fen or 0
    told = begun.told._replace(full_fen=item.most_fen, paid_fen=held_fen, held_fen=None)
    return replace(begun, told=told, purse_fen=-held_fen)


def _at_once(terms: Terms, item: Item, who: Resident, asked: Asked) -> Outcome:
    assert item.price is not None
    full_fen = asked.amount_fen or int(item.price["full_fen"])
    best = _best(terms, item, who, asked, full_fen)
    left_fen = _left(best, full_fen)
    paid_fen = _lessened(item, who, asked, left_fen)
    paid = _takes(who, full_fen) if item.price["to"] == PURSE else _pays(item, who, asked, paid_fen)
    if paid.refusal is not None:
        return Outcome(Expected(paid.refusal))
    key = None if best is None else key_of(best)
    told = Expected("ADMITTED", full_fen, paid_fen, left_fen - paid_fen, concession=key)
    return _admitted(item, who, asked, told, best, paid)


def _left(concession: Json | None, full_fen: int) -> int:
    return full_fen if concession is None else discounted(concession["price"], full_fen)


def _best(terms: Terms, item: Item, who: Resident, asked: Asked, full_fen: int) -> Json | None:
    """The concession that leaves least, the first of equals; None where none leaves less than the full price."""
    found = [each for each in item.concessions if _gets(terms, item, who, asked, each)]
    return min([None, *found], key=lambda each: _left(each, full_fen))


def _gets(terms: Terms, item: Item, who: Resident, asked: Asked, concession: Json) -> bool:
    day, quota = asked.moment.day, concession.get("quota")
    if "class" in concession and not who.counts_as(concession["class"], day):
        return False
    if "pass" in concession and who.pass_for(concession["pass"], day) is None:
        return False
    if not terms.holds_for(concession.get("region", "local"), who.place, asked.place.division):
        return False
    if not holds(concession.get("when"), asked.moment):
        return False
    return not (quota and who.used_up(item.rule(concession), quota, day))


def _lessened(item: Item, who: Resident, asked: Asked, left_fen: int) -> int:
    """What is left to pay after the discount for changing, and up to what a day costs at most."""
    transfer, cap_fen = item.declared.get("transfer"), item.declared.get("day_cap_fen")
    if transfer and asked.changed:
        left_fen = max(0, left_fen - transfer["off_fen"])
    if cap_fen is not None:
        paid_fen = who.used.get((item.paid_rule, asked.moment.day.isoformat()), 0)
        left_fen = min(left_fen, max(0, cap_fen - paid_fen))
    return left_fen


# --- Paying -----------------------------------------------------------------------------------------------------------


def _short(who: Resident, fen: int) -> str | None:
    """Why the purse cannot pay."""
    if fen and who.balance_fen is None:
        return "PURSE_MISSING"
    return "FUNDS_SHORT" if fen and (who.balance_fen or 0) < fen else None


def _takes(who: Resident, fen: int) -> Paid:
    """Whether the purse takes a top-up."""
    if who.room_fen is None:
        return Paid(refusal="PURSE_MISSING")
    return Paid(refusal="PURSE_FULL" if who.room_fen < fen else None)


def _pays(item: Item, who: Resident, asked: Asked, fen: int) -> Paid:
    """By the first way that pays, in the holder's order; what the bank said tells more than that the purse is short."""
    refusals = []
    for means in ways(item, who) if fen else ():
        why_not = _short(who, fen) if means == "purse" else _bank_refuses(who, asked, fen)
        if why_not is None:
            return Paid(means)
        refusals.append(why_not)
    by_bank = [each for each in refusals if each.startswith("BANK_")]
    return Paid(refusal=(by_bank + refusals + ["FUNDS_SHORT"])[0] if fen else None)


def _bank_refuses(who: Resident, asked: Asked, fen: int) -> str | None:
    if asked.bank == "silent":
        return "BANK_SILENT"
    assert who.account is not None
    return None if who.account.pays(fen, generous=asked.bank == "all") else "BANK_REFUSED"


def ways(item: Item, who: Resident) -> list[str]:
    """The ways to pay in the holder's order: what the item takes, and the card can do."""
    allowed = [each for each in item.means if each != "bank" or who.has_bank()]
    chosen = [each for each in who.orders.get(item.code, ()) if each in allowed]
    return chosen + [each for each in allowed if each not in chosen]


# --- Admissions -------------------------------------------------------------------------------------------------------


def _admitted(
    item: Item, who: Resident, asked: Asked, told: Expected, best: Json | None = None, paid: Paid | None = None
) -> Outcome:
    """An admission with all it does, but for the end of a journey."""
    day, price = asked.moment.day, item.price or {}
    by_bank = paid is not None and paid.means == "bank"
    purse_fen = told.full_fen if price.get("to") == PURSE else 0 if by_bank else -told.paid_fen
    serves = who.pass_for(best["pass"], day) if best is not None and "pass" in best else None
    counts = tuple(item.counts(best, told.paid_fen, day))
    return Outcome(
        told, purse_fen, told.paid_fen if by_bank else 0, counts, counts, serves, _sold(item, day)
    )  # fmt: skip


def _sold(item: Item, day: dt.date) -> Pass | None:
    terms = item.declared.get("pass")
    if terms is None:
        return None
    waits = dt.timedelta(days=terms["activate_within_days"])
    return Pass(item.code, day + waits, terms["lasts_days"], None, terms.get("uses"))
