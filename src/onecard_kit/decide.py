"""Decide (判定): facts in, verdict with reasons out. No clock, no database; the same function at the server and at a
gate."""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from onecard_kit.classes import BY_CODE
from onecard_kit.terms import BORNE_BY_OPERATOR, EVERYONE, Concession, Item, Medium, Region
from onecard_kit.verdicts import WORDS, Verdict

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
    """Where and by what a card is presented: the states of terminal, client, point and item there."""

    terminal_state: str
    client_state: str
    point_state: str
    item_state: str | None  # None: no such item
    offered: bool
    division: str  # GB/T 2260 code of the node: whose holders are local


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a gate knows of a card (卡况): states, issuing place and classes; no birth date, name or number.

    `classes` are (code, from day, to day), the last day exclusive, None for open.
    """

    card_state: str
    functions: Mapping[str, str]
    issuing_place: str
    classes: tuple[tuple[str, dt.date, dt.date | None], ...]


class Facts(msgspec.Struct, frozen=True):
    """Everything a decision may look at. Amounts in whole fen; `day` is the calendar day in Asia/Shanghai.

    `problem` is what reading the medium came to (malformed, bad signature, out of its window), None if it is genuine.
    `quota_used` counts the uses so far by rule name, in the period of each rule that holds `day`.
    `purse_free_fen`/`purse_room_fen`: what may be spent, and what may be added before the ceiling; None: no purse.
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


class Decision(msgspec.Struct, frozen=True):
    """A verdict and its effects. `spent`: the presentation was genuine and fresh, so its nonce or counter is used up.

    full_fen = paid_fen + what the funder gives; `rules` are the quotas this use counts against, with their periods.
    """

    verdict: Verdict
    spent: bool = False
    full_fen: int = 0
    paid_fen: int = 0
    concession: Concession | None = None
    rules: tuple[tuple[str, dt.date], ...] = ()

    @property
    def funded_fen(self) -> int:
        return self.full_fen - self.paid_fen


def decide(facts: Facts) -> Decision:
    """Decide one use. The first refusal by precedence wins; then the best concession, ties by declared order."""
    refusal = _refused_before_card(facts)
    if refusal is not None:
        return Decision(refusal)
    assert facts.item is not None
    refusal = _refused_by_card(facts)
    if refusal is not None:
        return Decision(refusal, spent=True)
    full_fen = _full_fen(facts.item, facts.amount_fen)
    concession = best_concession(facts, full_fen)
    paid_fen = full_fen if concession is None else concession.price.of(full_fen)
    refusal = _refused_by_funds(facts, full_fen, paid_fen)
    if refusal is not None:
        return Decision(refusal, spent=True)
    return Decision(Verdict.ADMITTED, True, full_fen, paid_fen, concession, _rules_counted(facts, concession))


def _refused_before_card(facts: Facts) -> Verdict | None:
    """Terminal, item, point, medium, signature, window and replay, in this order."""
    place, item = facts.place, facts.item
    if place.terminal_state != ACTIVE:
        return Verdict.TERMINAL_SUSPENDED
    if place.client_state != ACTIVE:
        return Verdict.CLIENT_SUSPENDED
    if place.item_state is None:
        return Verdict.ITEM_UNKNOWN
    if place.item_state != ACTIVE:
        return Verdict.ITEM_SUSPENDED
    if item is None:
        return Verdict.ITEM_NOT_IN_FORCE
    if place.point_state != ACTIVE:
        return Verdict.POINT_SUSPENDED
    if not place.offered:
        return Verdict.ITEM_NOT_OFFERED
    if facts.medium not in item.media:
        return Verdict.MEDIUM_NOT_ACCEPTED
    if not _amount_fits(item, facts.amount_fen):
        return Verdict.AMOUNT_INVALID
    if facts.problem is not None:
        return facts.problem
    return Verdict.REPLAYED if facts.replayed else None


def _refused_by_card(facts: Facts) -> Verdict | None:
    """Card, function, entitlement and quota, in this order."""
    standing, item = facts.standing, facts.item
    assert item is not None
    if standing is None:
        return Verdict.CARD_UNKNOWN
    if standing.card_state != ACTIVE:
        return _REFUSED_STATES[standing.card_state]
    if item.function is not None and standing.functions.get(item.function) != ACTIVE:
        return Verdict.FUNCTION_INACTIVE
    if item.region is Region.LOCAL and not _is_local(facts):
        return Verdict.NOT_ENTITLED
    if item.classes and classes_on(standing.classes, facts.day).isdisjoint(item.classes):
        return Verdict.NOT_ENTITLED
    if item.limit is not None and facts.quota_used.get(item.rule(), 0) >= item.limit.count:
        return Verdict.QUOTA_EXHAUSTED
    return None


def _refused_by_funds(facts: Facts, full_fen: int, paid_fen: int) -> Verdict | None:
    price = facts.item.price if facts.item else None
    if price is None:
        return None
    if price.payer == "holder.purse" and paid_fen:
        if facts.purse_free_fen is None:
            return Verdict.PURSE_MISSING
        if facts.purse_free_fen < paid_fen:
            return Verdict.FUNDS_SHORT
    if price.payee == "holder.purse":
        if facts.purse_room_fen is None:
            return Verdict.PURSE_MISSING
        if facts.purse_room_fen < full_fen:
            return Verdict.PURSE_FULL
    return None


def best_concession(facts: Facts, full_fen: int) -> Concession | None:
    """The concession that leaves least to pay among those that apply and have quota left; ties by declared order."""
    assert facts.item is not None
    assert facts.standing is not None
    held, local = classes_on(facts.standing.classes, facts.day), _is_local(facts)
    best, least_fen = None, full_fen
    for concession in facts.item.concession:
        if not applies(concession, facts, held, local):
            continue
        left_fen = concession.price.of(full_fen)
        if left_fen < least_fen:
            best, least_fen = concession, left_fen
    return best


def applies(concession: Concession, facts: Facts, held: frozenset[str], local: bool) -> bool:
    """Whether the holder has the class on this day, the card is from the region, and the quota is not used up."""
    if concession.class_ != EVERYONE and concession.class_ not in held:
        return False
    if concession.region is Region.LOCAL and not local:
        return False
    if concession.quota is None:
        return True
    assert facts.item is not None
    return facts.quota_used.get(facts.item.rule(concession), 0) < concession.quota.count


@lru_cache(maxsize=65536)
def classes_on(classes: tuple[tuple[str, dt.date, dt.date | None], ...], day: dt.date) -> frozenset[str]:
    """The codes of the classes that hold on a day; few combinations live in a city, so they are kept."""
    return frozenset(code for code, start, end in classes if start <= day and (end is None or day < end))


def _is_local(facts: Facts) -> bool:
    """Whether the card was issued by the same city (the first four digits of GB/T 2260)."""
    assert facts.standing is not None
    return facts.standing.issuing_place[:4] == facts.place.division[:4]


def _amount_fits(item: Item, amount_fen: int | None) -> bool:
    open_fen = item.price.open_fen if item.price else None
    if open_fen is None:
        return amount_fen is None
    return amount_fen is not None and open_fen[0] <= amount_fen <= open_fen[1]


def _full_fen(item: Item, amount_fen: int | None) -> int:
    if item.price is None:
        return 0
    full_fen = item.price.full_fen if item.price.full_fen is not None else amount_fen
    assert full_fen is not None
    return full_fen


def _rules_counted(facts: Facts, concession: Concession | None) -> tuple[tuple[str, dt.date], ...]:
    assert facts.item is not None
    counted = []
    if facts.item.limit is not None:
        counted.append((facts.item.rule(), facts.item.limit.period.start(facts.day)))
    if concession is not None and concession.quota is not None:
        counted.append((facts.item.rule(concession), concession.quota.period.start(facts.day)))
    return tuple(counted)


def reasons(
    verdict: Verdict, item: Item | None, full_fen: int, paid_fen: int, concession_class: str | None
) -> list[dict[str, str]]:
    """Why, in words, from what a use keeps: so that the first answer, a repeated one and the console's say the same."""
    words = WORDS[verdict]
    told = [{"code": verdict.value, "zh": words.zh, "en": words.en}]
    if verdict is not Verdict.ADMITTED or item is None or item.price is None:
        return told
    concession = next((c for c in item.concession if c.class_ == concession_class), None)
    if concession is None:
        return [*told, {"code": "FULL_PRICE", "zh": f"全价{_yuan(full_fen)}元", "en": f"Full price ¥{_yuan(full_fen)}"}]
    return [*told, {"code": f"CONCESSION:{concession.class_}", **_concession_words(concession, full_fen, paid_fen)}]


_FUNDERS = {
    "treasury.city": ("市财政", "the city treasury"),
    "bank.offer": ("合作银行", "the partner bank"),
    BORNE_BY_OPERATOR: ("运营单位", "the operator"),
}


def _concession_words(concession: Concession, full_fen: int, paid_fen: int) -> dict[str, str]:
    who_zh, who_en = _FUNDERS.get(concession.funded_by, (concession.funded_by, concession.funded_by))
    name = class_name(concession.class_)
    full, paid, rest = _yuan(full_fen), _yuan(paid_fen), _yuan(full_fen - paid_fen)
    return {
        "zh": f"{name[0]}：原价{full}元，实付{paid}元，{rest}元由{who_zh}承担",
        "en": f"{name[1]}: full price ¥{full}, you pay ¥{paid}, {who_en} bears ¥{rest}",
    }


def class_name(code: str) -> tuple[str, str]:
    """A class's name in Chinese and English."""
    return ("所有持卡人", "Every holder") if code == EVERYONE else (BY_CODE[code].zh, BY_CODE[code].en)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
