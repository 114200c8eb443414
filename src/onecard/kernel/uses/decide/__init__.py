"""Step 3, decide (判定): fold the pure decision over a group in arrival order, each verdict's effects feeding the next.

No clock and no database. Two spends of the last fen, or one nonce twice inside a group, meet here as they
would one after the other.
"""

import datetime as dt
from collections.abc import Mapping

import msgspec

from onecard.foundation import clock
from onecard.kernel.uses.decide import further, late, offline
from onecard.kernel.uses.decide.purses import move_purse
from onecard.kernel.uses.lines import (
    Answer,
    BankAsked,
    Charge,
    Folded,
    Gate,
    Key,
    Line,
    Outcome,
    Rejected,
    Risk,
    Taken,
    Use,
)
from onecard.kernel.uses.load.facts import Card, Journey, Known, Loaded, Misses, Paper, Spot
from onecard_kit.codes import made_before
from onecard_kit.decide import Decision, Facts, at_most, decide
from onecard_kit.terms import Item, Leg, Manner, Means, Medium
from onecard_kit.verdicts import Verdict

REPLAYED_CHIP = "chip_replayed"
FORGED_CHIP = "chip_cryptogram_invalid"


def fold(lines: list[Line], loaded: Loaded, items: Mapping[int, Item]) -> Folded:
    """Decide each line on the facts as the lines before it left them. `loaded` is used up by it."""
    folded = Folded()
    answered: dict[Key, tuple[bytes, Answer | Taken]] = {}
    for line in lines:
        folded.answers.append(_answer(line, loaded, items, folded, answered))
    late.leave_overtaken(loaded, folded)
    return folded


def _answer(
    line: Line,
    loaded: Loaded,
    items: Mapping[int, Item],
    folded: Folded,
    answered: dict[Key, tuple[bytes, Answer | Taken]],
) -> Outcome | Taken:
    """Idempotence first; then the decision and its effects."""
    before = loaded.known.get(line.key)
    if before is not None and before.content != line.content:
        return Rejected("SEQUENCE_REUSED")
    if before is not None and line.gate is None:
        return _repeat(line, before, items)
    twin = answered.get(line.key)
    if twin is not None:
        return _repeated(twin[1]) if twin[0] == line.content else Rejected("SEQUENCE_REUSED")
    spot = loaded.spots.get((line.terminal_id, line.item))
    if spot is None or not spot.has_key(line.key_id, line.at.timestamp()):
        return Rejected("KEY_EXPIRED")
    if line.gate is not None:
        taken = _take(line, line.gate, spot, before, loaded, items, folded)
        answered[line.key] = (line.content, taken)
        return taken
    card = card_of(line, loaded)
    version, journey = further.terms_of(line, spot, card, loaded)
    item = items.get(version) if version is not None else None
    facts = facts_of(line, spot, item, card, loaded, journey)
    decision = decide(facts)
    unasked = decision.ask_bank_fen is not None or decision.paid_fen != line.bank_fen
    if decision.means is Means.BANK and card is not None and unasked:
        return BankAsked(decision.paid_fen, card.card_id, line.item)
    charge = _apply(line, decision, spot, version, item, card, journey, loaded, folded)
    if journey is not None and charge is not None:  # less than its price may have been held
        decision = charge.decision
    card_id = card.card_id if card is not None else None
    folded.uses.append(Use(line, decision, spot.point_id, item, version, card_id))
    if charge is not None:
        folded.charges.append(charge)
    answer = _first_answer(line, decision, item, card, loaded)
    answered[line.key] = (line.content, answer)
    return answer


def _take(
    line: Line, gate: Gate, spot: Spot, before: Known | None, loaded: Loaded, items: Mapping[int, Item], folded: Folded
) -> Taken:
    """A line of a journal: what the gate decided stands, and what we would have decided is kept beside it.

    `before` is there where the line came before: online, with an answer that the gate never got, or in an upload.
    """
    assert loaded.past is not None
    if before is not None and before.use_id in loaded.past.lines:
        return offline.again(before, loaded.past, gate)
    if before is not None and (before.verdict == Verdict.ADMITTED or not gate.admitted):
        return offline.beside(line, before, loaded.past, folded)
    spot, card = offline.then(line, spot, card_of(line, loaded), loaded)
    version, journey = late.terms_of(line, spot, card, loaded)
    item = items.get(version) if version is not None else None
    facts = facts_of(line, spot, item, card, loaded, journey)
    if before is None:
        ours = decide(facts)
    else:  # it stands as refused, and somebody passed
        ours, line = Decision(Verdict(before.verdict)), msgspec.structs.replace(line, id=before.use_id)
    charged = late.stands_charged(line, card, loaded)
    if charged is not None and gate.admitted and ours.verdict is Verdict.NO_JOURNEY:
        ours = Decision(Verdict.PURSE_FULL)
        late.note_charged(line, charged, spot, folded)
    if before is None and journey is None and gate.admitted:
        late.note_crossed(line, card, spot, loaded, folded)
    judged = offline.judge(gate, facts, ours)
    begun = late.begun(line, card, facts, judged.decision, loaded)
    decision = judged.decision if begun is None else begun.decision
    offline.note_risk(line, judged, spot, card, folded)
    spends = offline.spending(line, used=facts.replayed or before is not None)
    charge = _apply(spends, decision, spot, version, item, card, journey, loaded, folded)
    if charge is not None:
        charge = offline.lacking(charge, judged, card)
        decision = charge.decision
        if line.leg is Leg.IN and card is not None and judged.borne_by is not None:
            further.bear(line, judged.borne_by, card, loaded, folded)
        folded.charges.append(charge)
        if begun is not None and card is not None:
            late.go_on(line, begun, card, loaded, folded)
    if decision.spent:
        offline.note_chip(line, facts, card, loaded, folded)
    if before is None:
        card_id = card.card_id if card is not None else None
        folded.uses.append(Use(line, decision, spot.point_id, item, version, card_id))
    return offline.take(line, judged, charge, decision, folded, late=before is not None)


def card_of(line: Line, loaded: Loaded) -> Card | None:
    """The card that was shown; None where nobody knows it."""
    shown = line.presented
    if shown.serial is not None:
        return loaded.by_serial.get(shown.serial)
    if shown.paper is not None:
        paper = loaded.papers.get(shown.paper)
        return loaded.by_serial.get(paper.ecard) if paper is not None else None
    return loaded.by_number.get(shown.number_index) if shown.number_index is not None else None


def facts_of(
    line: Line, spot: Spot, item: Item | None, card: Card | None, loaded: Loaded, journey: Journey | None = None
) -> Facts:
    """What the decision on a line may look at, as the lines before it left it."""
    shown, day = line.presented, clock.day_of(line.at)
    problem = shown.problem
    if problem is None and shown.kid is not None and shown.kid in loaded.withdrawn:
        problem = Verdict.KEY_UNKNOWN
    if problem is None and shown.paper is not None and _is_revoked(line, loaded.papers.get(shown.paper)):
        problem = Verdict.CODE_REVOKED
    if problem is None and card is not None and _is_void(line, card):
        problem = Verdict.NUMBER_EXPIRED if shown.medium is Medium.NUMBER else Verdict.CODE_EXPIRED
    if loaded.misses is not None:
        problem = _limited(line, problem, loaded.misses)
    free, room = (
        loaded.purses.get(card.purse, (None, None)) if card is not None and card.purse is not None else (None, None)
    )
    facts = Facts(
        place=spot.place,
        item=item,
        medium=shown.medium,
        amount_fen=line.amount_fen,
        problem=problem,
        replayed=_is_replayed(line, card, loaded),
        standing=card.standing if card is not None else None,
        day=day,
        quota_used=_quota_used(item, card, day, loaded) if item is not None and item.counts else {},
        purse_free_fen=free,
        purse_room_fen=room,
        minute=clock.minute_of(line.at),
        day_kind=loaded.day_kind,
        areas=loaded.areas,
        leg=line.leg,
        via=shown.via,
    )
    if item is None or card is None or not item.looks_further:
        return facts
    return further.add(facts, line, spot, item, card, loaded, journey)


def _is_revoked(line: Line, paper: Paper | None) -> bool:
    """A paper code that nobody issued, or that is revoked: by now, or when a line happened that is told late."""
    if paper is None or paper.revoked_at is None:
        return paper is None
    return line.gate is None or paper.revoked_at <= line.at


def _is_void(line: Line, card: Card) -> bool:
    """Fetched before a phone of the e-card was withdrawn. A gate without a line could not know."""
    shown = line.presented.nonce
    return (
        line.gate is None and shown is not None and card.codes_from is not None and made_before(shown, card.codes_from)
    )


def _limited(line: Line, problem: Verdict | None, misses: Misses) -> Verdict | None:
    """Past the limit a number is not looked at; what cannot be one is still told to be a slip of the tongue."""
    if line.presented.medium is not Medium.NUMBER or problem is Verdict.NUMBER_MALFORMED:
        return problem
    return Verdict.NUMBER_LIMITED if misses.past_limit(line.terminal_id) else problem


def _is_replayed(line: Line, card: Card | None, loaded: Loaded) -> bool:
    """A nonce that is spent; or a chip counter that did not grow online, or was seen before: a replay, or a clone."""
    shown = line.presented
    if shown.nonce is not None:
        return shown.nonce in loaded.spent
    if card is None or shown.counter is None:
        return False
    if line.gate is not None:
        return offline.has_shown(card, shown.counter, loaded)
    return shown.counter <= card.chip_counter


def _quota_used(item: Item, card: Card | None, day: dt.date, loaded: Loaded) -> dict[str, int]:
    if card is None:
        return {}
    return {rule: loaded.quotas.get((card.holder_id, rule, period.of(day)), 0) for rule, period in item.counts}


def _apply(
    line: Line, decision: Decision, spot: Spot, version: int | None, item: Item | None, card: Card | None,
    journey: Journey | None, loaded: Loaded, folded: Folded,
) -> Charge | None:  # fmt: skip
    """Let the decision's effects be seen by the lines after it, and note them for saving; what it does to accounts."""
    shown = line.presented
    if (
        shown.counter is not None
        and decision.verdict in (Verdict.REPLAYED, Verdict.CRYPTOGRAM_INVALID)
        and card is not None
    ):
        kind = REPLAYED_CHIP if decision.verdict is Verdict.REPLAYED else FORGED_CHIP
        detail = {"terminal": line.terminal_id, "counter": shown.counter, "use": str(line.id)}
        folded.risks.append(Risk(kind, f"card:{card.card_id}", {**detail, "place": spot.place.division}))
    if not decision.spent:
        if decision.verdict is Verdict.NUMBER_UNKNOWN and loaded.misses is not None:
            loaded.misses.by_terminal[line.terminal_id] += 1
        return None
    if shown.nonce is not None and shown.expires is not None:
        loaded.spent.add(shown.nonce)
        folded.nonces.append((shown.nonce, shown.expires))
    if card is None:
        return None
    if shown.counter is not None:
        card.chip_counter = folded.counters[card.card_id] = shown.counter
    if decision.verdict is not Verdict.ADMITTED or item is None:
        if decision.verdict is Verdict.NO_JOURNEY:
            further.end_overdue(line, card, loaded, folded)
        return None
    for rule, period, more in decision.counts:
        key = (card.holder_id, rule, period)
        loaded.quotas[key] = loaded.quotas.get(key, 0) + more
        folded.quotas[key] = folded.quotas.get(key, 0) + more
    if loaded.further.items and line.leg is not Leg.IN:  # somebody in the group may ask whether this was a change
        loaded.further.changes.setdefault(card.card_id, {})[item.code] = line.at.timestamp()
    if item.looks_further:
        return further.apply(line, decision, spot, version, item, card, journey, loaded, folded)
    if item.price is None:
        return None
    move_purse(loaded.purses, card.purse, item, decision)
    return Charge(line.id, line.id, item, decision, spot.operator, spot.sponsor, card.purse)


def _first_answer(line: Line, decision: Decision, item: Item | None, card: Card | None, loaded: Loaded) -> Answer:
    concession = decision.concession.key if decision.concession else None
    # Nothing is told of a card before it is clear that somebody showed it.
    touches_purse = decision.spent and item is not None and item.price is not None
    purse = card.purse if touches_purse and card is not None else None
    balance = loaded.purses[purse][0] if purse in loaded.purses else None
    return Answer(
        line.id, decision.verdict, item, decision.full_fen, decision.paid_fen, concession, False, balance,
        decision.waived_fen, decision.hold_fen, _asks_to_look(line, decision.verdict, item),
    )  # fmt: skip


def _asks_to_look(line: Line, verdict: str, item: Item | None) -> bool:
    """Whether staff are to compare the holder with their photo, now or when the line comes again."""
    if item is None or verdict != Verdict.ADMITTED:
        return False
    return item.manner_of(line.presented.via) is Manner.LOOK


def _repeat(line: Line, known: Known, items: Mapping[int, Item]) -> Answer:
    item = items.get(known.item_version_id) if known.item_version_id is not None else None
    held_fen = None
    if item is not None and known.leg == Leg.IN and known.verdict == Verdict.ADMITTED:
        held_fen = at_most(item, known.concession).paid_fen
    return Answer(
        known.use_id, Verdict(known.verdict), item, known.full_fen, known.paid_fen, known.concession, True, None,
        known.waived_fen, held_fen, _asks_to_look(line, known.verdict, item),
    )  # fmt: skip


def _repeated(answer: Answer | Taken) -> Answer | Taken:
    if isinstance(answer, Taken):
        return msgspec.structs.replace(answer, repeated=True)
    return Answer(
        answer.use_id, answer.verdict, answer.item, answer.full_fen, answer.paid_fen, answer.concession, True, None,
        answer.waived_fen, answer.held_fen, answer.look,
    )  # fmt: skip
