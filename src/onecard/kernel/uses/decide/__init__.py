"""Step 3, decide (判定): fold the pure decision over a group in arrival order, each verdict's effects feeding the next.

No clock and no database. Two spends of the last fen, or one nonce twice inside a group, meet here as they
would one after the other.
"""

import datetime as dt
from collections.abc import Mapping

from onecard.foundation import clock
from onecard.kernel.uses.lines import Answer, Folded, Key, Line, Rejected, Risk, Use
from onecard.kernel.uses.load.facts import Card, Known, Loaded, Spot
from onecard_kit.decide import Decision, Facts, decide
from onecard_kit.terms import Item
from onecard_kit.verdicts import Verdict

REPLAYED_CHIP = "chip_replayed"
FORGED_CHIP = "chip_cryptogram_invalid"


def fold(lines: list[Line], loaded: Loaded, items: Mapping[int, Item]) -> Folded:
    """Decide each line on the facts as the lines before it left them. `loaded` is used up by it."""
    folded = Folded()
    answered: dict[Key, tuple[bytes, Answer]] = {}
    for line in lines:
        folded.answers.append(_answer(line, loaded, items, folded, answered))
    return folded


def _answer(
    line: Line, loaded: Loaded, items: Mapping[int, Item], folded: Folded, answered: dict[Key, tuple[bytes, Answer]]
) -> Answer | Rejected:
    """Idempotence first; then the decision and its effects."""
    before = loaded.known.get(line.key)
    if before is not None:
        return _repeat(before, items) if before.content == line.content else Rejected("SEQUENCE_REUSED")
    twin = answered.get(line.key)
    if twin is not None:
        return _repeated(twin[1]) if twin[0] == line.content else Rejected("SEQUENCE_REUSED")
    spot = loaded.spots.get((line.terminal_id, line.item))
    if spot is None or not spot.has_key(line.key_id, line.at.timestamp()):
        return Rejected("KEY_EXPIRED")
    card = _card_of(line, loaded)
    item = items.get(spot.item_version_id) if spot.item_version_id is not None else None
    decision = decide(_facts(line, spot, item, card, loaded))
    _apply(line, decision, card, item, loaded, folded)
    card_id, purse = (card.card_id, card.purse) if card is not None else (None, None)
    folded.uses.append(Use(line, decision, spot.point_id, spot.operator, item, spot.item_version_id, card_id, purse))
    answer = _first_answer(line, decision, item, card, loaded)
    answered[line.key] = (line.content, answer)
    return answer


def _card_of(line: Line, loaded: Loaded) -> Card | None:
    shown = line.presented
    if shown.serial is not None:
        return loaded.by_serial.get(shown.serial)
    return loaded.by_number.get(shown.number_index) if shown.number_index is not None else None


def _facts(line: Line, spot: Spot, item: Item | None, card: Card | None, loaded: Loaded) -> Facts:
    shown, day = line.presented, clock.day_of(line.at)
    problem = shown.problem
    if problem is None and shown.kid is not None and shown.kid in loaded.withdrawn:
        problem = Verdict.KEY_UNKNOWN
    free, room = (
        loaded.purses.get(card.purse, (None, None)) if card is not None and card.purse is not None else (None, None)
    )
    return Facts(
        place=spot.place,
        item=item,
        medium=shown.medium,
        amount_fen=line.amount_fen,
        problem=problem,
        replayed=_is_replayed(line, card, loaded),
        standing=card.standing if card is not None else None,
        day=day,
        quota_used=_quota_used(item, card, day, loaded),
        purse_free_fen=free,
        purse_room_fen=room,
    )


def _is_replayed(line: Line, card: Card | None, loaded: Loaded) -> bool:
    """A nonce that is spent; or online a chip counter that did not grow, be it a replay or a clone."""
    shown = line.presented
    if shown.nonce is not None:
        return shown.nonce in loaded.spent
    return card is not None and shown.counter is not None and shown.counter <= card.chip_counter


def _quota_used(item: Item | None, card: Card | None, day: dt.date, loaded: Loaded) -> dict[str, int]:
    if item is None or card is None:
        return {}
    counted: list[tuple[str, dt.date]] = []
    if item.limit is not None:
        counted.append((item.rule(), item.limit.period.start(day)))
    counted += [(item.rule(c), c.quota.period.start(day)) for c in item.concession if c.quota is not None]
    return {rule: loaded.quotas.get((card.holder_id, rule, period), 0) for rule, period in counted}


def _apply(
    line: Line, decision: Decision, card: Card | None, item: Item | None, loaded: Loaded, folded: Folded
) -> None:
    """Let the decision's effects be seen by the lines after it, and note them for saving."""
    shown = line.presented
    if (
        shown.counter is not None
        and decision.verdict in (Verdict.REPLAYED, Verdict.CRYPTOGRAM_INVALID)
        and card is not None
    ):
        kind = REPLAYED_CHIP if decision.verdict is Verdict.REPLAYED else FORGED_CHIP
        folded.risks.append(
            Risk(kind, f"card:{card.card_id}", {"terminal": line.terminal_id, "counter": shown.counter})
        )
    if not decision.spent:
        return
    if shown.nonce is not None and shown.expires is not None:
        loaded.spent.add(shown.nonce)
        folded.nonces.append((shown.nonce, shown.expires))
    if card is None:
        return
    if shown.counter is not None:
        card.chip_counter = folded.counters[card.card_id] = shown.counter
    for rule, period in decision.rules:
        key = (card.holder_id, rule, period)
        loaded.quotas[key] = loaded.quotas.get(key, 0) + 1
        folded.quotas[key] = folded.quotas.get(key, 0) + 1
    if item is not None and item.price is not None and card.purse is not None:
        _move_purse(loaded.purses, card.purse, item, decision)


def _move_purse(purses: dict[int, list[int | None]], purse: int, item: Item, decision: Decision) -> None:
    assert item.price is not None
    change = 0
    if item.price.payer == "holder.purse":
        change = -decision.paid_fen
    elif item.price.payee == "holder.purse" and decision.verdict is Verdict.ADMITTED:
        change = decision.full_fen
    free, room = purses[purse]
    purses[purse] = [None if free is None else free + change, None if room is None else room - change]


def _first_answer(line: Line, decision: Decision, item: Item | None, card: Card | None, loaded: Loaded) -> Answer:
    concession = decision.concession.class_ if decision.concession else None
    touches_purse = item is not None and item.price is not None and card is not None and card.purse is not None
    balance = loaded.purses[card.purse][0] if touches_purse and card and card.purse in loaded.purses else None
    return Answer(line.id, decision.verdict, item, decision.full_fen, decision.paid_fen, concession, False, balance)


def _repeat(known: Known, items: Mapping[int, Item]) -> Answer:
    item = items.get(known.item_version_id) if known.item_version_id is not None else None
    return Answer(known.use_id, Verdict(known.verdict), item, known.full_fen, known.paid_fen, known.concession, True)


def _repeated(answer: Answer) -> Answer:
    return Answer(answer.use_id, answer.verdict, answer.item, answer.full_fen, answer.paid_fen, answer.concession, True)
