"""The pack (离线包): everything a gate needs to decide without a line, but the lists; signed by its issuer as a JWT.

The gate reads from it what the platform loads from its tables, so that the same `decide` comes to the same verdict.
What a version of an item says is read strictly and one by one: one that this gate is too old to understand is left out
and named in `unread`, and the rest goes on.
"""

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from typing import Final

import msgspec

from onecard_kit.decide import Areas, Place
from onecard_kit.status_list import ListRefused, read_jwt_bytes, sign_jwt_bytes
from onecard_kit.suites import SUITES, PublicKey, Purpose, Signer
from onecard_kit.terms import DayKind, Item, Medium, When

JWT_TYPE: Final = "onecard-pack+jwt"
DAYS_AHEAD: Final = 60
"""For so many days ahead of the day it was made a pack says what holds."""
DAYS_OF_CODES: Final = 8
"""From today on, each of so many days has its list of codes already."""
CODES, PAPERS, CARDS, TERMINALS, KEYS = "codes", "papers", "cards", "terminals", "keys"
"""The lists that a pack names. `codes` has one for each day."""
FIXED: Final = (PAPERS, CARDS, TERMINALS)
"""Those whose indexes are the same for life."""


class PackTerminal(msgspec.Struct, frozen=True):
    """The gate itself. `serial` is its index in the list of terminals, `attended` whether staff stand beside it."""

    code: str
    serial: int
    state: str
    attended: bool


class PackPoint(msgspec.Struct, frozen=True):
    """Where it stands; `client_state` is of the system that the point belongs to."""

    code: str
    state: str
    client_state: str
    division: str
    hours: tuple[When, ...]
    media: tuple[Medium, ...]


class PackItem(msgspec.Struct, frozen=True):
    """An item that the point offers: its state, what the point takes instead of what the item says, its versions.

    One that is no longer `offered` is there for those who are still inside: they are let out.
    """

    code: str
    state: str
    capacity_count: int | None
    versions: tuple[msgspec.Raw, ...]
    offered: bool = True


class PackKey(msgspec.Struct, frozen=True):
    """An issuer's key; bytes in hex, moments in Unix seconds. `signs_from` is None while it stands by, `signs_to` and
    `verifies_to` are None while it signs.
    """

    issuer: str
    kid: str
    suite: str
    public: str
    purpose: Purpose
    signs_from: int | None
    signs_to: int | None
    verifies_to: int | None

    def public_key(self) -> PublicKey:
        """Raises KeyError or ValueError for what no key of ours says."""
        return PublicKey(SUITES[self.suite], bytes.fromhex(self.kid), bytes.fromhex(self.public), self.purpose)


class PackList(msgspec.Struct, frozen=True):
    """A list: its path at the gateway, in which ``{day}`` stands for a China day, and from what age in seconds on the
    gate must not decide by it. `days`: there is one for each of so many days from today on; 0: it is of no day.
    """

    name: str
    path: str
    oldest_s: int
    days: int = 0

    def path_of(self, day: dt.date) -> str:
        """Its path on a day."""
        return self.path.replace("{day}", day.isoformat())


class Pack(msgspec.Struct, frozen=True, dict=True):
    """What a gate decides by. `made` in Unix seconds; `division` is the node's; `issuers` are those whose codes are
    accepted; `days` says of each of the next days what kind it is; a gate that waited so long as `online_timeout_ms`
    for an answer decides by itself.
    """

    issuer: str
    division: str
    made: int
    terminal: PackTerminal
    point: PackPoint
    items: tuple[PackItem, ...]
    areas: Mapping[str, tuple[str, ...]]
    days: Mapping[dt.date, DayKind]
    issuers: tuple[str, ...]
    keys: tuple[PackKey, ...]
    lists: tuple[PackList, ...]
    online_timeout_ms: int

    @cached_property
    def _declared(self) -> dict[str, list[Item | str]]:
        """The versions of each item; one that cannot be read as its error."""
        return {item.code: [_declaration(raw) for raw in item.versions] for item in self.items}

    @property
    def only_item(self) -> str | None:
        """The item that is meant where nobody names one: the only one here."""
        offered = [item.code for item in self.items if item.offered] or [item.code for item in self.items]
        return offered[0] if len(offered) == 1 else None

    @property
    def unread(self) -> tuple[str, ...]:
        """What this gate is too old to understand: the item, and why."""
        return tuple(f"{code}: {each}" for code, some in self._declared.items() for each in some if type(each) is str)

    def item_on(self, code: str, day: dt.date) -> Item | None:
        """The version of an item in force on a day; None where there is none, or this gate cannot read it."""
        for each in self._declared.get(code, ()):
            if isinstance(each, Item) and each.starts_on <= day and (each.ends_on is None or day < each.ends_on):
                return each
        return None

    def place_for(self, code: str) -> Place:
        """Where and by what a card is presented for an item, as a decision asks for it."""
        item = next((each for each in self.items if each.code == code), None)
        point = self.point
        return Place(
            self.terminal.state, point.client_state, point.state, item.state if item is not None else None,
            item is not None and item.offered, point.division, point.code, point.hours, point.media,
            item.capacity_count if item is not None else None, self.terminal.attended,
        )  # fmt: skip

    @cached_property
    def area_sets(self) -> Areas:
        """Sets of places, as a decision asks for them."""
        return Areas(self.areas)

    def kind_of(self, day: dt.date) -> DayKind:
        """What kind of day it is; past the days that the pack knows, by the day of the week alone."""
        return self.days.get(day) or (DayKind.WEEKEND if day.weekday() >= 5 else DayKind.WORKING)

    def public_keys(self, now: int) -> dict[tuple[str, bytes], PublicKey]:
        """The keys that may have signed what is shown at a moment (Unix seconds), by issuer and kid. One that stands by
        is among them: it may have begun to sign since the pack was made.
        """
        good = (key for key in self.keys if key.verifies_to is None or now < key.verifies_to)
        return {(key.issuer, bytes.fromhex(key.kid)): key.public_key() for key in good if key.suite in SUITES}

    def list_of(self, name: str) -> PackList:
        """A list by its name. Raises KeyError."""
        return {each.name: each for each in self.lists}[name]


def to_jwt(made: Pack, signer: Signer) -> str:
    """A pack as a signed JWT in its compact form."""
    return sign_jwt_bytes(JWT_TYPE, msgspec.json.encode(made), signer)


def from_jwt(text: str, keys: Mapping[bytes, PublicKey]) -> Pack:
    """Read a pack that one of `keys` (by kid) signed. Raises ListRefused, and nothing else."""
    claims = read_jwt_bytes(JWT_TYPE, text, keys)
    try:
        made = _packs.decode(claims)
        for key in made.keys:
            if key.suite in SUITES:
                key.public_key()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ListRefused("its claims are not those of a pack") from None
    return made


_packs = msgspec.json.Decoder(Pack)


def _declaration(raw: msgspec.Raw) -> Item | str:
    try:
        return msgspec.json.decode(raw, type=Item)
    except (msgspec.MsgspecError, ValueError) as error:
        return str(error)
