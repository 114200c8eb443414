"""What a gate decided without a line, beside what we would have decided: its admission stands, and somebody pays.

Apart from the fold, so that a line that is told as it happens pays nothing for it.
"""

import msgspec

from onecard.kernel.uses.lines import Charge, Folded, Gate, Line, OfflineLine, Risk, Taken
from onecard.kernel.uses.load.facts import Card, Known, Loaded, Spot
from onecard.kernel.uses.load.past import Past
from onecard_kit.admissions import stands
from onecard_kit.decide import Decision, Facts
from onecard_kit.terms import BORNE_BY_HOLDER
from onecard_kit.verdicts import Verdict

USED_TWICE = "used_twice"
FORGED_CHIP = "chip_cryptogram_invalid"


class Judged(msgspec.Struct, frozen=True):
    """What takes effect (`decision`) beside what we would have said (`verdict`); what is not paid, and who bears it.

    `lacks_fen` is nothing at the beginning of a journey; `borne_by` then says who will bear what its price exceeds of
    what is held.
    """

    decision: Decision
    verdict: Verdict
    double: bool = False
    lacks_fen: int = 0
    borne_by: str | None = None


def then(line: Line, spot: Spot, card: Card | None, loaded: Loaded) -> tuple[Spot, Card | None]:
    """Place and card with the states that they had at the line's moment."""
    past, at = loaded.past, line.at.timestamp()
    assert past is not None
    if not (past.places or past.cards):
        return spot, card
    place = past.place(spot.place, line.terminal_id, spot.point_id, line.item, at)
    sponsor = past.sponsor(spot.sponsor, spot.point_id, at)
    if card is not None:
        card = msgspec.structs.replace(card, standing=past.standing(card.card_id, card.standing, at))
    return msgspec.structs.replace(spot, place=place, sponsor=sponsor), card


def judge(gate: Gate, facts: Facts, ours: Decision) -> Judged:
    """What becomes of a line: what the gate refused was refused, what it admitted stands."""
    if not gate.admitted:
        return Judged(Decision(refused_as(gate)), ours.verdict)
    if ours.verdict is Verdict.ADMITTED:
        return Judged(ours, ours.verdict)
    stood = stands(facts, ours.verdict)
    double = ours.verdict is Verdict.REPLAYED
    return Judged(stood.decision, ours.verdict, double, stood.shortfall_fen, stood.borne_by)


def refused_as(gate: Gate) -> Verdict:
    """The verdict under which a use stands that a gate refused: its own, or that its reason was none of ours."""
    return Verdict(gate.verdict) if gate.verdict in Verdict.__members__ else Verdict.REFUSED_AT_GATE


def spending(line: Line, *, used: bool) -> Line:
    """The line as far as it uses something up: nothing that is used up. A chip's counter is noted by itself, since that
    of a line that is told late may be lower.
    """
    shown = line.presented
    nonce = None if used else shown.nonce
    return msgspec.structs.replace(line, presented=msgspec.structs.replace(shown, nonce=nonce, counter=None))


def has_shown(card: Card, counter: int, loaded: Loaded) -> bool:
    """Whether a chip has shown a counter before, whenever that was."""
    assert loaded.past is not None
    chip = loaded.past.chips.get(card.card_id)
    return chip is not None and chip.has_shown(counter)


def note_chip(line: Line, facts: Facts, card: Card | None, loaded: Loaded, folded: Folded) -> None:
    """Let the lines after it see the counter of a genuine reading."""
    counter = line.presented.counter
    if counter is None or card is None or facts.problem is not None or facts.replayed:
        return
    assert loaded.past is not None
    loaded.past.chips[card.card_id] = loaded.past.chips[card.card_id].after((counter,))
    folded.seen.setdefault(card.card_id, set()).add(counter)


def note_risk(line: Line, judged: Judged, spot: Spot, card: Card | None, folded: Folded) -> None:
    """What somebody should look at: a double use, or a card that was none."""
    assert line.gate is not None
    if not line.gate.admitted:
        return
    kind = USED_TWICE if judged.double else FORGED_CHIP if judged.verdict is Verdict.CRYPTOGRAM_INVALID else None
    if kind is None:
        return
    detail: dict[str, object] = {"terminal": line.terminal_id, "use": str(line.id), "place": spot.place.division}
    if line.presented.counter is not None:
        detail["counter"] = line.presented.counter
    subject = f"terminal:{line.terminal_id}" if card is None else f"card:{card.card_id}"
    folded.risks.append(Risk(kind, subject, detail))


def lacking(charge: Charge, judged: Judged, card: Card | None) -> Charge:
    """The charge with what it lacks and who bears that."""
    if not judged.lacks_fen:
        return charge
    debtor = card.holder_id if card is not None and judged.borne_by == BORNE_BY_HOLDER else None
    return msgspec.structs.replace(
        charge, shortfall_fen=judged.lacks_fen, borne_by=judged.borne_by, debtor=debtor
    )  # fmt: skip


def take(
    line: Line, judged: Judged, charge: Charge | None, decision: Decision, folded: Folded, *, late: bool
) -> Taken:  # fmt: skip
    """The answer to a line, and its row beside the use. `late`: the use itself was recorded as refused before."""
    assert line.gate is not None
    lacks_fen, by = (judged.lacks_fen, judged.borne_by) if charge is None else (charge.shortfall_fen, charge.borne_by)
    taken = Taken(
        line.id, judged.verdict, line.gate.verdict, decision.paid_fen, lacks_fen, by if lacks_fen else None,
        judged.double, late,
    )  # fmt: skip
    folded.lines.append(OfflineLine(line, taken, decision if late else None))
    return taken


def beside(line: Line, known: Known, past: Past, folded: Folded) -> Taken:
    """A line that was told online first: its use stands, or was given back, and nothing more comes of it; what the gate
    said stands beside.
    """
    assert line.gate is not None
    taken = Taken(
        known.use_id, Verdict(known.verdict), line.gate.verdict, known.paid_fen, repeated=True,
        given_back=known.use_id in past.given_back,
    )  # fmt: skip
    folded.lines.append(OfflineLine(line, taken))
    return taken


def again(known: Known, past: Past, gate: Gate) -> Taken:
    """The answer to a line that was told before."""
    told = past.lines[known.use_id]
    return Taken(
        known.use_id, Verdict(told.verdict), gate.verdict, known.paid_fen, told.shortfall_fen, told.borne_by,
        told.double, True, known.use_id in past.given_back,
    )  # fmt: skip
