"""The facts of a group, decoded from the rows of `sql/`."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from onecard.kernel.uses.lines import Key, Transfer
from onecard.kernel.uses.load.past import Past
from onecard_kit.decide import Areas, Pass, Place, Standing
from onecard_kit.terms import DayKind, Item, Means, Medium, When


class Card(msgspec.Struct):
    """A locked card: its standing and what hangs on it; `chip_counter` grows as the fold goes on. What phones fetched
    up to `codes_from` (Unix seconds) is void.
    """

    card_id: int
    holder_id: int
    standing: Standing
    purse: int | None
    chip_counter: int
    codes_from: float | None = None


class Spot(msgspec.Struct, frozen=True):
    """A terminal's place for one item, with the ids behind it; a key's end is in Unix seconds, None while open."""

    place: Place
    point_id: int
    operator: str
    sponsor: str | None
    keys: tuple[tuple[int, float | None], ...]
    item_version_id: int | None

    def has_key(self, key_id: int, at: float) -> bool:
        """Whether a key is in force at a moment (Unix seconds)."""
        return any(key == key_id and (end is None or at < end) for key, end in self.keys)


class Known(msgspec.Struct, frozen=True):
    """A line that is recorded already: the digest of its content and its first answer."""

    content: bytes
    use_id: UUID
    item_version_id: int | None
    verdict: str
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None
    leg: str | None = None

    @classmethod
    def of_refund(cls, content: bytes, refund_id: UUID) -> "Known":
        """What stands under the key of a refund: nothing a presentation could repeat."""
        return cls(content, refund_id, None, "", 0, 0, 0, None)


class Journey(msgspec.Struct, frozen=True):
    """A journey that nobody ended yet (`uses_journey`): where and when it began, when it ends by itself (Unix seconds),
    on which terms, and what its purse holds for it. `borne_by` bears what that lacks: a gate let it begin. One that
    ended by itself may end once more, when its end is told late: then `ends_by` is when it did, and `back` are the
    transfers that take back what that cost, `back_owed_fen` what of it was owed: whoever paid it since has it back in
    the purse.
    """

    card_id: int
    item: str
    id: UUID
    item_version_id: int
    point: str
    operator: str
    sponsor: str | None
    at: float
    ends_by: float
    purse: int
    concession: str | None
    hold_id: UUID | None
    held_fen: int
    borne_by: str | None = None
    back: tuple[Transfer, ...] = ()
    back_owed_fen: int = 0


class Debt(msgspec.Struct, frozen=True):
    """What a holder owes for what gates let pass: the account, and how much."""

    account: int
    owed_fen: int


@dataclass(slots=True)
class Further:
    """What only some items look at. `changes` are the latest admitted uses by card and item, in Unix seconds."""

    journeys: dict[tuple[int, str], Journey] = field(default_factory=dict)
    passes: dict[int, list[Pass]] = field(default_factory=dict)
    changes: dict[int, dict[str, float]] = field(default_factory=dict)
    means: dict[tuple[int, str], tuple[Means, ...]] = field(default_factory=dict)
    banks: dict[int, int] = field(default_factory=dict)
    capacities: dict[tuple[int, str, str], int] = field(default_factory=dict)
    items: Mapping[int, Item] = field(default_factory=dict)
    debts: dict[int, Debt] = field(default_factory=dict)


@dataclass(slots=True)
class Misses:
    """How many read-aloud numbers were found to be nobody's in the last quarter of an hour, by terminal: what keeps
    anybody from trying numbers. Past a limit none is looked at, so that a stranger learns nothing more.
    """

    WITHIN: ClassVar[dt.timedelta] = dt.timedelta(minutes=15)
    TERMINAL_MAX: ClassVar[int] = 5
    CITY_MAX: ClassVar[int] = 300

    by_terminal: Counter[int]

    def past_limit(self, terminal_id: int) -> bool:
        return self.by_terminal[terminal_id] >= self.TERMINAL_MAX or self.by_terminal.total() >= self.CITY_MAX


class Paper(msgspec.Struct, frozen=True):
    """A paper code: the e-card it is of, and since when it is revoked, if it is."""

    ecard: int
    revoked_at: dt.datetime | None


@dataclass(slots=True)
class Loaded:
    """Everything a group's decisions may look at; `past` for lines that are told late, else None."""

    by_serial: dict[int, Card]
    by_number: dict[bytes, Card]
    purses: dict[int, list[int | None]]
    spots: dict[tuple[int, str], Spot]
    known: dict[Key, Known]
    spent: set[bytes]
    quotas: dict[tuple[int, str, str], int]
    withdrawn: frozenset[bytes]
    areas: Areas
    day_kind: DayKind
    further: Further = field(default_factory=Further)
    misses: Misses | None = None
    papers: dict[int, Paper] = field(default_factory=dict)
    past: Past | None = None


_classes = msgspec.json.Decoder(tuple[tuple[str, dt.date, dt.date | None], ...])
_places = msgspec.json.Decoder(
    list[
        tuple[
            int,
            str,
            str,
            str,
            int,
            str,
            str,
            int,
            tuple[tuple[int, float | None], ...] | None,
            str | None,
            int | None,
            bool,
            str,
            tuple[When, ...],
            tuple[Medium, ...],
            int | None,
            int | None,
            bool,
        ]
    ]
)
_areas = msgspec.json.Decoder(dict[str, tuple[str, ...]])
_journeys: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
    list[tuple[int, str, UUID, int, str, str, str | None, float, float, int, str | None, UUID | None, int, str | None]]
)
_left: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
    list[tuple[int, str, UUID, int, str, str, str | None, float, float, int, str | None, str | None]]
)
_ended: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[int, str, UUID, float, float]])
_waiting: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[int, str, float, str]])
_passes: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
    list[tuple[int, str, str, dt.date, int, dt.date | None, int | None]]
)
_changes: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[int, str, float]])
_means: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[int, str, tuple[Means, ...]]])
_accounts: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[int, int]])
_known = msgspec.json.Decoder(list[tuple[int, UUID, int, str, UUID]])
_quotas = msgspec.json.Decoder(list[tuple[int, str, str, int]])


@lru_cache(maxsize=65536)
def decode_classes(text: str) -> tuple[tuple[str, dt.date, dt.date | None], ...]:
    """Classes with their days, as a standing keeps them."""
    return _classes.decode(text)


def cards_of(rows: Sequence[Sequence[Any]]) -> tuple[dict[int, Card], dict[bytes, Card]]:
    """Cards by e-card serial and by the blind index of their number, from the rows of `lock_cards`."""
    by_serial: dict[int, Card] = {}
    by_number: dict[bytes, Card] = {}
    for row in rows:
        card_id, holder_id, place, state, social, financial, transit, number_index, serial, purse, classes, counter = (
            row[:12]
        )
        functions = {"social_security": social, "financial": financial, "transit": transit}
        standing = Standing(state, functions, place, decode_classes(classes))
        codes_from = row[12].timestamp() if row[12] is not None else None
        card = Card(card_id, holder_id, standing, purse, counter, codes_from)
        by_number[number_index] = card
        if serial is not None:
            by_serial[serial] = card
    return by_serial, by_number


def purses_of(rows: Sequence[Sequence[Any]]) -> dict[int, list[int | None]]:
    """What each purse may spend and take in, from the rows of `lock_cards`."""
    return {row[9]: [row[13], row[14]] for row in rows if row[9] is not None}


def spots_of(text: str | None) -> dict[tuple[int, str], Spot]:
    """The places of a group's terminals and items; a terminal unknown to the database is absent."""
    spots = {}
    for row in _places.decode(text) if text else ():
        terminal, item, t_state, c_state, point, p_state, division, operator, keys, i_state, version, offered = row[:12]
        code, hours, media, sponsor, capacity_count, attended = row[12:]
        place = Place(
            t_state, c_state, p_state, i_state, offered, division, code, hours, media, capacity_count, attended
        )  # fmt: skip
        sponsored = f"party:{sponsor}" if sponsor is not None else None
        spots[terminal, item] = Spot(place, point, f"party:{operator}", sponsored, keys or (), version)
    return spots


def areas_of(text: str | None) -> Areas:
    return Areas(_areas.decode(text) if text else {})


def further_of(row: Mapping[str, str | None]) -> Further:
    """Journeys, passes, changes, means and banks, from the row of `further`."""
    journeys = [Journey(*each) for each in _decoded(_journeys, row["journeys"])]
    found = Further(journeys={(journey.card_id, journey.item): journey for journey in journeys})
    for holder, *each in _decoded(_passes, row["passes"]):
        found.passes.setdefault(holder, []).append(Pass(*each))
    for card, item, at in _decoded(_changes, row["changes"]):
        found.changes.setdefault(card, {})[item] = at
    found.means = {(holder, item): ways for holder, item, ways in _decoded(_means, row["means"])}
    found.banks = dict(_decoded(_accounts, row["accounts"]))
    return found


def left_of(text: str | None) -> list[Journey]:
    """Journeys that ended by themselves, from `late_journeys`: nothing is held for them any more."""
    rows = _decoded(_left, text)
    return [Journey(*known, None, 0, borne_by) for *known, borne_by in rows]  # type: ignore[call-arg]  # as the SQL lists


def ended_of(text: str | None) -> dict[tuple[int, str], list[tuple[UUID, float, float]]]:
    """Journeys that a use ended, and from when to when they lasted, by card and item, from `late_journeys`."""
    found: dict[tuple[int, str], list[tuple[UUID, float, float]]] = {}
    for card, item, id_, began, ended in _decoded(_ended, text):
        found.setdefault((card, item), []).append((id_, began, ended))
    return found


def waiting_of(text: str | None) -> dict[tuple[int, str], list[tuple[float, str]]]:
    """When and where somebody tapped out of a journey that nobody knew of, by card and item, from `late_journeys`."""
    found: dict[tuple[int, str], list[tuple[float, str]]] = {}
    for card, item, at, point in _decoded(_waiting, text):
        found.setdefault((card, item), []).append((at, point))
    return found


def _decoded(decoder: "msgspec.json.Decoder[list[Any]]", text: str | None) -> list[Any]:
    return decoder.decode(text) if text else []


def recorded_of(text: str | None) -> dict[Key, tuple[bytes, UUID]]:
    """The keys that are recorded already: the digest of their content, and their use."""
    return {row[:3]: (bytes.fromhex(row[3]), row[4]) for row in (_known.decode(text) if text else ())}


def quotas_of(text: str | None) -> dict[tuple[int, str, str], int]:
    return {(holder, rule, period): used for holder, rule, period, used in (_quotas.decode(text) if text else ())}
