"""Terms (办理条件与价格): what an item of the catalogue declares. `item_files` reads it from a TOML file, strictly.

The same declaration decides at the server and at an offline gate.
"""

import datetime as dt
from enum import StrEnum
from functools import cached_property

import msgspec

from onecard_kit.codes import Via
from onecard_kit.fares import Distance, Hourly


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of an item file: its keys are these and no others."""


class Medium(StrEnum):
    """How a card may be presented: the code on a phone or the physical card. Both by default: 卡码同权.

    The number that a holder reads aloud is taken only where the item names it, by staff, and never for money.
    """

    CODE = "code"
    CARD = "card"
    NUMBER = "number"


class Function(StrEnum):
    SOCIAL_SECURITY = "social_security"
    FINANCIAL = "financial"
    TRANSIT = "transit"


class Level(StrEnum):
    """Whose list an item is on (JS 9); the lower list extends the upper ones. In order from the top."""

    REGION = "region"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


class Kind(StrEnum):
    """A basic service, or one that a place adds (WZ 3.2, 3.3)."""

    BASIC = "basic"
    EXTENDED = "extended"


class Channel(StrEnum):
    """Where an item is served."""

    GATE = "gate"
    COUNTER = "counter"
    MACHINE = "machine"
    ONLINE = "online"
    PHONE = "phone"


class LifeEvent(StrEnum):
    """A turn of life at which people look for what there is for them (人生事件), in the order in which they come."""

    BIRTH = "birth"
    SCHOOLING = "schooling"
    WORK = "work"
    ENLISTMENT = "enlistment"
    MARRIAGE = "marriage"
    HOME = "home"
    TRAVEL = "travel"
    ILLNESS = "illness"
    HARDSHIP = "hardship"
    RETIREMENT = "retirement"
    OLD_AGE = "old_age"


class DayKind(StrEnum):
    """What a day is by the working calendar: a weekend day that is made up for is a working day."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


class Leg(StrEnum):
    """Which end of a journey a presentation is: 进 or 出."""

    IN = "in"
    OUT = "out"


class Means(StrEnum):
    """A way to pay: the holder's purse, or the bank account linked with the card (financial function)."""

    PURSE = "purse"
    BANK = "bank"


class Period(StrEnum):
    """The calendar period, in Asia/Shanghai, over which a quota counts."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def start(self, day: dt.date) -> dt.date:
        """The first day of the period that holds `day`."""
        if self is Period.DAY:
            return day
        return day.replace(day=1) if self is Period.MONTH else day.replace(month=1, day=1)

    def of(self, day: dt.date) -> str:
        """The period that holds `day`, as ISO 8601 writes it: ``2026-03-11``, ``2026-03`` or ``2026``.

        A day and the month it begins are not written alike: what counts by the one never mixes with the other.
        """
        return day.isoformat()[: _LETTERS[self]]


_LETTERS = {Period.DAY: 10, Period.MONTH: 7, Period.YEAR: 4}


class Bilingual(Declared, frozen=True, kw_only=True):
    zh: str
    en: str


class Quota(Declared, frozen=True, kw_only=True):
    """At most `count` uses in each `period`."""

    count: int
    period: Period


class When(Declared, frozen=True, kw_only=True, dict=True):
    """Kinds of day and windows of the day, ``["06:30", "22:00"]``, the end exclusive; none given: at all of them."""

    days: tuple[DayKind, ...] = tuple(DayKind)
    hours: tuple[tuple[str, str], ...] = ()

    def holds(self, kind: DayKind, minute: int) -> bool:
        """Whether it holds on a day of that kind at that minute of the day in Asia/Shanghai."""
        if kind not in self.days:
            return False
        return not self.minutes or any(start <= minute < end for start, end in self.minutes)

    @cached_property
    def minutes(self) -> tuple[tuple[int, int], ...]:
        """The windows in minutes of the day; ``24:00`` is 1,440. Raises ValueError."""
        return tuple((_minute(start), _minute(end)) for start, end in self.hours)

    def covers(self, other: "When") -> bool:
        """Whether this holds whenever the other does."""
        if not set(other.days) <= set(self.days):
            return False
        wanted = other.minutes or ((0, 1440),)
        return not self.minutes or all(any(a <= c and d <= b for a, b in _joined(self.minutes)) for c, d in wanted)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (len(hour) == len(minute) == 2 and hour.isdecimal() and minute.isdecimal() and hour.isascii()):
        raise ValueError(f"expected HH:MM, not {text}")
    at = int(hour) * 60 + int(minute)
    if int(minute) > 59 or at > 1440:
        raise ValueError(f"expected 00:00 to 24:00, not {text}")
    return at


def _joined(windows: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Windows that touch or overlap, as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


class Manner(StrEnum):
    """How an item takes a code that somebody else's phone shows, or paper: as any other, with a look at the photo by
    staff (核对照片), or not at all.
    """

    TAKE = "take"
    LOOK = "look"
    REFUSE = "refuse"


class Needs(Declared, frozen=True, kw_only=True):
    """What an item needs from a point that offers it: staff beside the terminal, media it reads, hours it is open."""

    attended: bool = False
    media: tuple[Medium, ...] = ()
    when: When | None = None


class Offline(Declared, frozen=True, kw_only=True):
    """What an offline gate may do: up to `limit_fen` a use, for `days` without contact. And who pays for what it
    admitted, which stands, where the platform comes to something else:

    shortfall  bears what the holder's purse lacks
    double     pays for a code, or a reading of a card, that was used before
    refused    pays where the platform would have refused the card or the holder: lost, over the limit, not entitled

    Each is `BORNE_BY_OPERATOR` (nothing moves), `BORNE_BY_HOLDER`, `BORNE_BY_PLATFORM` or a funder's role. The holder
    pays as for any use, from the purse; what that lacks, `shortfall` bears: the holder as a debt, the next top-up's
    first.
    """

    limit_fen: int
    days: int
    shortfall: str
    double: str = "holder"
    refused: str = "operator"


class Price(Declared, frozen=True, kw_only=True):
    """The full price and between which accounts it moves. Exactly one of the four that say how much:

    full_fen  always the same          open_fen  [least, most], named at the point
    distance  between tap-in and -out  hourly    for the time between them
    """

    payer: str = msgspec.field(name="from")
    payee: str = msgspec.field(name="to")
    full_fen: int | None = None
    open_fen: tuple[int, int] | None = None
    distance: Distance | None = None
    hourly: Hourly | None = None

    @property
    def most_fen(self) -> int:
        """What a journey can cost at most: held at its start, and charged if it never ends."""
        if self.distance is not None:
            return self.distance.most_fen
        assert self.hourly is not None
        return self.hourly.max_fen


class Discount(Declared, frozen=True, kw_only=True):
    """What is left to pay. Exactly one of

    percent    so much of the full price (a part of a fen is dropped, for the holder), at most `off_fen_max` less
    fixed_fen  this price, where the full price is always the same
    cap_fen    the full price, but never more than this, where it varies
    """

    percent: int | None = None
    off_fen_max: int | None = None
    fixed_fen: int | None = None
    cap_fen: int | None = None

    def of(self, full_fen: int) -> int:
        """The price after this discount; never above the full price."""
        if self.percent is not None:
            left_fen = full_fen * self.percent // 100
            return left_fen if self.off_fen_max is None else max(left_fen, full_fen - self.off_fen_max)
        most_fen = self.fixed_fen if self.fixed_fen is not None else self.cap_fen
        assert most_fen is not None
        return min(most_fen, full_fen)


class Concession(Declared, frozen=True, kw_only=True):
    """The terms that a class, or the owner of a pass, gets (减免优待), and who funds the difference.

    `key` names it among the item's concessions in records and quotas; by default its class or pass.
    """

    class_: str | None = msgspec.field(name="class", default=None)
    pass_: str | None = msgspec.field(name="pass", default=None)
    key: str = ""
    price: Discount
    funded_by: str
    region: str = "local"
    when: When | None = None
    quota: Quota | None = None
    note: Bilingual | None = None

    def __post_init__(self) -> None:
        if not self.key:
            msgspec.structs.force_setattr(self, "key", self.class_ or self.pass_ or "")


class Transfer(Declared, frozen=True, kw_only=True):
    """A discount for changing: `off_fen` less, borne by the operator, within so many minutes `after` other items."""

    after: tuple[str, ...]
    within_minutes: int
    off_fen: int


class Journey(Declared, frozen=True, kw_only=True):
    """The item is used by tapping in and out. One that stays open ends by itself, at the most it can cost."""

    ends_after_hours: int


class PassTerms(Declared, frozen=True, kw_only=True):
    """The item sells a pass: it starts on its first use, or by itself after `activate_within_days`; it lasts so many
    days, and serves `uses` times (none given: without limit).
    """

    activate_within_days: int
    lasts_days: int
    uses: int | None = None


class Refund(Declared, frozen=True, kw_only=True):
    """A use may be given back for so many days; 0: on its own day only."""

    within_days: int


class Excluded(Declared, frozen=True, kw_only=True):
    """The law wants the resident identity card for this matter: every use is refused with these words (WZ 3.1.1)."""

    basis: str
    zh: str
    en: str


class Decided(Declared, frozen=True, kw_only=True):
    """Who put the item on its list, and on which day."""

    by: Bilingual
    on: dt.date


class Item(Declared, frozen=True, kw_only=True, dict=True):
    """One version of an application item (应用项目) as its file declares it, in force from `starts_on` to before
    `ends_on`. Its descriptive part is what a published list must say of an item (JS 9; GZ 43, 44).
    """

    code: str
    version: int
    starts_on: dt.date
    name: Bilingual
    legal_basis: tuple[str, ...]
    ends_on: dt.date | None = None

    level: Level = Level.CITY
    area: str = ""
    extends: str | None = None
    kind: Kind = Kind.BASIC
    pilot_areas: tuple[str, ...] = ()
    decided: Decided | None = None
    lead_unit: Bilingual | None = None
    supporting_units: tuple[Bilingual, ...] = ()
    audience: Bilingual | None = None
    life_events: tuple[LifeEvent, ...] = ()
    channels: tuple[Channel, ...] = (Channel.GATE,)
    conditions: tuple[Bilingual, ...] = ()
    materials: tuple[Bilingual, ...] = ()
    steps: tuple[Bilingual, ...] = ()
    time_limit: Bilingual | None = None
    guide: Bilingual | None = None

    media: tuple[Medium, ...] = (Medium.CODE, Medium.CARD)
    family: Manner = Manner.TAKE
    paper: Manner = Manner.LOOK
    function: Function | None = None
    region: str = "all"
    classes: tuple[str, ...] = ()
    excluded: Excluded | None = None
    when: When | None = None
    needs: Needs | None = None
    limit: Quota | None = None
    capacity: Quota | None = None
    offline: Offline | None = None
    journey: Journey | None = None
    pass_: PassTerms | None = msgspec.field(name="pass", default=None)
    price: Price | None = None
    means: tuple[Means, ...] = (Means.PURSE,)
    transfer: Transfer | None = None
    day_cap_fen: int | None = None
    refund: Refund = Refund(within_days=30)
    concession: tuple[Concession, ...] = ()

    def rule(self, concession: Concession | None = None) -> str:
        """The stable name under which a quota is counted: the item's own limit, or a concession's."""
        return f"{self.code}/{concession.key}" if concession else self.code

    @property
    def paid_rule(self) -> str:
        """The name under which fen paid in a day are counted against `day_cap_fen`."""
        return f"{self.code}#fen"

    def manner_of(self, via: Via) -> Manner:
        """How it takes a code by who shows it. Paper never pays: it is not taken where there is a price."""
        if via is Via.PAPER:
            return self.paper if self.price is None else Manner.REFUSE
        return self.family if via is Via.FAMILY else Manner.TAKE

    @cached_property
    def by_key(self) -> dict[str, Concession]:
        return {concession.key: concession for concession in self.concession}

    @cached_property
    def counts(self) -> tuple[tuple[str, Period], ...]:
        """Every rule that a use of this item may count against or be judged by, with its period."""
        found = [(self.rule(), self.limit.period)] if self.limit else []
        found += [(self.rule(c), c.quota.period) for c in self.concession if c.quota]
        if self.day_cap_fen is not None:
            found.append((self.paid_rule, Period.DAY))
        return tuple(found)

    @cached_property
    def looks_further(self) -> bool:
        """Whether a use needs more than standing, quota and purse: journeys, passes, capacity, other means, debts."""
        passes = self.pass_ is not None or any(c.pass_ for c in self.concession)
        other_money = self.means != (Means.PURSE,) or self.fills_purse
        return passes or bool(self.journey or self.capacity or self.transfer) or other_money

    @cached_property
    def fills_purse(self) -> bool:
        """Whether a use pays into the holder's purse."""
        return self.price is not None and self.price.payee == "holder.purse"


def counted(item: Item, concession: str | None, paid_fen: int, day: dt.date) -> tuple[tuple[str, str, int], ...]:
    """What an admitted use counts against: (rule, period, how much). A refund gives the same back."""
    found = [(item.rule(), item.limit.period.of(day), 1)] if item.limit else []
    best = item.by_key.get(concession) if concession else None
    if best is not None and best.quota is not None:
        found.append((item.rule(best), best.quota.period.of(day), 1))
    if item.day_cap_fen is not None and paid_fen:
        found.append((item.paid_rule, Period.DAY.of(day), paid_fen))
    return tuple(found)


# Account roles an item may name, and the ledger (kind of value) each lives in. A payee's ledger follows its payer.
LEDGER_OF_ROLE = {
    "holder.purse": "purse",
    "bank.clearing": "purse",
    "bank.offer": "purse",
    "treasury.city": "treasury",
    "employer.share": "bank",
    "merchant.offer": "bank",
    "bank.settlement": "bank",
    "holder.debt": "purse",
    "platform.shortfall": "purse",
}
PAYER_ROLES = ("holder.purse", "bank.clearing", "bank.offer", "treasury.city")
PAYEE_ROLES = ("operator.receivable", "holder.purse", "bank.clearing")
FUNDER_ROLES = ("treasury.city", "bank.offer", "employer.share", "merchant.offer")
BORNE_BY_OPERATOR, BORNE_BY_HOLDER, BORNE_BY_PLATFORM = "operator", "holder", "platform"
# Who may bear what an offline gate let pass.
BEARERS = (BORNE_BY_OPERATOR, BORNE_BY_HOLDER, BORNE_BY_PLATFORM, *FUNDER_ROLES)
# Spent nonces are kept for longer, so that a second use is found when both are told as late as they may be.
OFFLINE_DAYS_MAX = 31
EVERYONE = "everyone"
LOCAL, ALL = "local", "all"
# Far above anything real, and far below what a column or a sum could not hold.
FEN_MAX = 1_000_000_000
COUNT_MAX = 1_000_000
METRES_MAX = 10_000_000
