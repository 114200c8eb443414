"""The facts of a recorded use as they stood when it was decided, from what was kept of it and of what came after.

Kept are the item's version, days of classes, quotas, journeys, passes and uses. Not kept are funds, states of
terminals, points and cards, hours, capacities, and what the medium proved: these are taken as the recorded verdict says
that they were.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from onecard.foundation import clock, workdays
from onecard.foundation.ids import moment_of
from onecard.kernel.uses.lines import Line
from onecard.kernel.uses.load.facts import Card, Further, Journey, Loaded, Spot, areas_of, decode_classes
from onecard.kernel.uses.present import Presented
from onecard_kit.decide import ACTIVE, Pass, Place, Standing
from onecard_kit.terms import COUNT_MAX, FEN_MAX, DayKind, Function, Item, Leg, Means, Medium, Period, When, counted
from onecard_kit.verdicts import Verdict

# The checks whose facts are not kept.
AS_RECORDED = frozenset(
    {"terminal", "item", "point", "medium", "genuine", "fresh", "card", "function", "capacity", "funds"}
)
_PROBLEMS = frozenset({
    Verdict.CODE_MALFORMED,
    Verdict.ISSUER_UNKNOWN,
    Verdict.KEY_UNKNOWN,
    Verdict.SIGNATURE_INVALID,
    Verdict.CRYPTOGRAM_INVALID,
    Verdict.NUMBER_MALFORMED,
    Verdict.NUMBER_LIMITED,
    Verdict.NUMBER_UNKNOWN,
    Verdict.CODE_NOT_YET_VALID,
    Verdict.CODE_EXPIRED,
    Verdict.NUMBER_EXPIRED,
})  # fmt: skip
_CARD_STATES = {
    Verdict.CARD_INACTIVE: "inactive",
    Verdict.CARD_LOST: "lost",
    Verdict.CARD_LOCKED: "locked",
    Verdict.CARD_CANCELLED: "cancelled",
}
_BANK_SAID = {Verdict.BANK_REFUSED: "refused", Verdict.BANK_SILENT: "silent"}
_SHORT = frozenset({Verdict.FUNDS_SHORT, *_BANK_SAID})
_PURSE, _SHOWN = 1, b"\x00"  # stand in for a purse and a nonce: there are no others beside them


class AtGate(msgspec.Struct, frozen=True):
    """What a gate without a line had decided (`verdict`), what we would have (`ours`), and what came of it.

    `at` is by its clock, `corrected_s` was added to that; `oldest_list_s` is how old the oldest list was by which it
    decided. `paid_fen` was taken from the holder, `shortfall_fen` was borne by `borne_by`. `given_back`: the holder was
    turned away while the platform, whose answer was lost, had admitted; all of it was given back.
    """

    verdict: str
    ours: Verdict
    manual: bool
    at: dt.datetime
    corrected_s: int
    oldest_list_s: int | None
    reason: str | None
    double: bool
    paid_fen: int
    shortfall_fen: int
    borne_by: str | None
    given_back: bool = False

    @property
    def admitted(self) -> bool:
        return self.manual or self.verdict == Verdict.ADMITTED


_at_gate = msgspec.json.Decoder(AtGate)


class Recorded(msgspec.Struct, frozen=True):
    """A row of `explained.sql`. `verdict` is ours, also where a gate's admission or refusal stands."""

    id: UUID
    at: dt.datetime
    terminal_id: int
    point_id: int
    item: str
    item_version_id: int | None
    card_id: int | None
    medium: Medium
    verdict: Verdict
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None
    leg: Leg | None
    point: str
    division: str
    operator_id: int
    holder_id: int | None
    issuing_place: str | None
    classes: str | None
    by_bank: bool
    areas: str | None
    gate: AtGate | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Recorded":
        leg = Leg(row["leg"]) if row["leg"] else None
        gate = _at_gate.decode(row["gate"]) if row["gate"] else None
        verdict = Verdict(row["verdict"]) if gate is None else gate.ours
        told = {"medium": Medium(row["medium"]), "verdict": verdict, "leg": leg, "gate": gate}
        return cls(**{**row, **told})

    @property
    def came_to_ours(self) -> bool:
        """Whether what was recorded is what we decided: of a gate's line only if both admitted, and nothing lacked."""
        gate = self.gate
        return gate is None or (gate.admitted and gate.ours is Verdict.ADMITTED and not gate.shortfall_fen)

    @property
    def decided_at(self) -> dt.datetime:
        """When it was decided: `at`, or later for a line that waited."""
        return max(self.at, moment_of(self.id))

    def came_before(self, id_: UUID, at: dt.datetime) -> bool:
        """Whether another use came before this one; those of one millisecond came in the order of their moments."""
        return (id_.int >> 80, at) < (self.id.int >> 80, self.at)


class CountedUse(msgspec.Struct, frozen=True):
    """A row of `counted_uses.sql`."""

    id: UUID
    at: dt.datetime
    item_version_id: int
    paid_fen: int
    concession: str | None
    leg: str | None
    given_back_at: dt.datetime | None


Quotas = dict[tuple[str, str], int]
"""How much is used by rule and period."""


def quotas_before(use: Recorded, now: Quotas, uses: Iterable[CountedUse], items: Mapping[int, Item]) -> Quotas:
    """What was used of a holder's quotas when a use was decided: what is used now, less what counted since, more what
    was given back since.
    """
    then = dict(now)
    for each in uses:
        counted_then = use.came_before(each.id, each.at) and not (
            each.given_back_at is not None and each.given_back_at <= use.decided_at
        )
        since = counted_then - (each.given_back_at is None)
        for rule, period, how_much in _counts(each, items[each.item_version_id]) if since else ():
            if (rule, period) in then:
                then[rule, period] = max(0, then[rule, period] + since * how_much)
    return then


def _counts(use: CountedUse, item: Item) -> tuple[tuple[str, str, int], ...]:
    """What a use counted against: the end of a journey by what was paid alone, the rest counted at its beginning."""
    day = clock.day_of(use.at)
    if use.leg == Leg.OUT:
        return ((item.paid_rule, Period.DAY.of(day), use.paid_fen),) if item.day_cap_fen is not None else ()
    return counted(item, use.concession, use.paid_fen, day)


_served: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[UUID, float, bool, float | None]])


class _Served(msgspec.Struct, frozen=True):
    """A use that a pass served, before the use that is looked at, and when it was given back (Unix seconds)."""

    at: float
    started: bool
    given_back_at: float | None


def passes_before(use: Recorded, rows: Iterable[Mapping[str, Any]], sold_at: Mapping[UUID, dt.datetime]) -> list[Pass]:
    """A holder's passes as they were when a use was decided, from the rows of `passes_before.sql`.

    `sold_at` is when the uses were that sold them.
    """
    return [_pass(use, row) for row in rows if use.came_before(row["id"], sold_at.get(row["id"], moment_of(row["id"])))]


def _pass(use: Recorded, row: Mapping[str, Any]) -> Pass:
    decided_at = use.decided_at.timestamp()
    earlier, left, starts_on = [], row["uses_left"], row["starts_on"]
    for id_, at, started, given_back_at in _served.decode(row["served"] or "[]"):
        came_before = use.came_before(id_, dt.datetime.fromtimestamp(at, dt.UTC)) and id_ != use.id
        if came_before:
            earlier.append(_Served(at, started, given_back_at))
        if started:
            starts_on = None  # known from the uses alone
        used_then = came_before and (given_back_at is None or given_back_at > decided_at)
        if left is not None:
            left += (given_back_at is None) - used_then
    kept = Pass(str(row["id"]), row["item"], row["activate_by"], row["lasts_days"], starts_on, left)
    return msgspec.structs.replace(kept, starts_on=starts_on or _started_on(kept, earlier, decided_at))


def _started_on(kept: Pass, earlier: Sequence[_Served], decided_at: float) -> dt.date | None:
    """The day on which a pass was started by then. One whose every use had been given back waited again."""
    started = max((each for each in earlier if each.started), key=lambda each: each.at, default=None)
    if started is None or all(each.given_back_at is not None and each.given_back_at <= decided_at for each in earlier):
        return None
    day = clock.day_of(dt.datetime.fromtimestamp(started.at, dt.UTC))
    return min(day, kept.activate_by + dt.timedelta(days=1))


# --- What was not kept --------------------------------------------------------------------------------------------


def line_of(use: Recorded, item: Item | None) -> Line:
    """The line again, as far as it was kept."""
    problem = use.verdict if use.verdict in _PROBLEMS else None
    shown = Presented(use.medium, problem, nonce=_SHOWN if use.verdict is Verdict.REPLAYED else None)
    return Line(
        use.id, use.at, use.terminal_id, 0, use.id, 0, b"", use.item, _amount_fen(use, item), shown,
        use.leg, _bank_said(use),
    )  # fmt: skip


def keeps_amount(use: Recorded, item: Item | None) -> bool:
    """Whether the full price is known: of a refused use whose price was named at the point it is not."""
    return use.verdict is Verdict.ADMITTED or item is None or item.price is None or item.price.open_fen is None


def _amount_fen(use: Recorded, item: Item | None) -> int | None:
    open_fen = item.price.open_fen if item is not None and item.price is not None else None
    if use.verdict is Verdict.AMOUNT_INVALID:
        return 1 if open_fen is None else open_fen[1] + 1
    if open_fen is None:
        return None
    # The most there may be: of what was too dear, it leaves something to pay as well.
    return use.full_fen if keeps_amount(use, item) else open_fen[1]


def _bank_said(use: Recorded) -> str:
    return "approved" if use.by_bank else _BANK_SAID.get(use.verdict, "away")


def spot_of(use: Recorded) -> Spot:
    """The place, as the recorded verdict says that it was."""

    def state(refused: Verdict) -> str:
        return "suspended" if use.verdict is refused else ACTIVE

    place = Place(
        terminal_state=state(Verdict.TERMINAL_SUSPENDED),
        client_state=state(Verdict.CLIENT_SUSPENDED),
        point_state=state(Verdict.POINT_SUSPENDED),
        item_state=None if use.verdict is Verdict.ITEM_UNKNOWN else state(Verdict.ITEM_SUSPENDED),
        offered=use.verdict is not Verdict.ITEM_NOT_OFFERED,
        division=use.division,
        point=use.point,
        hours=(When(days=()),) if use.verdict is Verdict.POINT_CLOSED else (),
        media=() if use.verdict is Verdict.MEDIUM_NOT_ACCEPTED else tuple(Medium),
        capacity_count=0 if use.verdict is Verdict.CAPACITY_FULL else COUNT_MAX,
        attended=use.verdict is not Verdict.NOT_ATTENDED,
    )
    return Spot(place, use.point_id, f"party:{use.operator_id}", None, (), use.item_version_id)


def card_of(use: Recorded, item: Item | None) -> Card | None:
    """The card with the classes that its holder had on the day, and states as the recorded verdict says."""
    if use.card_id is None or use.holder_id is None or use.verdict is Verdict.CARD_UNKNOWN:
        return None
    functions = {function.value: ACTIVE for function in Function}
    if use.verdict is Verdict.FUNCTION_INACTIVE and item is not None and item.function is not None:
        functions[item.function] = "inactive"
    classes = decode_classes(use.classes or "[]")
    standing = Standing(_CARD_STATES.get(use.verdict, ACTIVE), functions, use.issuing_place or "", classes)
    purse = None if use.verdict is Verdict.PURSE_MISSING else _PURSE
    return Card(use.card_id, use.holder_id, standing, purse, 0)


def loaded_of(
    use: Recorded, quotas: Quotas, changes: Mapping[str, float], journey: Journey | None, passes: list[Pass]
) -> Loaded:
    """Everything the decision looked at besides item, place and card."""
    free_fen = 0 if use.verdict in _SHORT else FEN_MAX * COUNT_MAX
    room_fen = 0 if use.verdict is Verdict.PURSE_FULL else FEN_MAX * COUNT_MAX
    loaded = Loaded(
        by_serial={},
        by_number={},
        purses={_PURSE: [free_fen, room_fen]},
        spots={},
        known={},
        spent={_SHOWN},
        quotas={},
        withdrawn=frozenset(),
        areas=areas_of(use.areas),
        day_kind=DayKind(workdays.kind_of(clock.day_of(use.at))),
    )
    if use.card_id is None or use.holder_id is None:
        return loaded
    by_bank = _bank_said(use) != "away"
    loaded.quotas = {(use.holder_id, rule, period): used for (rule, period), used in quotas.items()}
    loaded.further = Further(
        journeys={(use.card_id, use.item): journey} if journey is not None else {},
        passes={use.holder_id: passes},
        changes={use.card_id: dict(changes)},
        means={(use.holder_id, use.item): (Means.BANK if by_bank else Means.PURSE,)},
        banks={use.card_id: 0} if by_bank else {},
    )
    return loaded
