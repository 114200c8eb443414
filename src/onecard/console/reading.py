"""View values of the overview: what waits for somebody, figures with their trend and time, and counties."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from onecard.console import clients, watching
from onecard.foundation import clock
from onecard.foundation.web.jinja import words as in_language
from onecard.kernel.audit import risks, verification
from onecard.kernel.audit.risks import Filters, State
from onecard.kernel.cards import words
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.catalogue import register
from onecard.kernel.holders import divisions
from onecard.kernel.sharing import register as sharing
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import figures
from onecard.kernel.uses.figures import Day, Division
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]
TONES = {"active": "ok", "temp_lost": "warn", "lost": "bad", "locked": "bad"}
RISKS_UP_TO = VERSIONS_UP_TO = REQUESTS_UP_TO = 100
USES_SHOWN = 15
# From which coverage on a tile takes the next tone, in percent.
LEVELS = (20, 40, 60, 80)


@dataclass(frozen=True)
class Waiting:
    """Something that waits for somebody; `more`: there are more than were counted. `route`: where it is worked off."""

    name: Words
    hint: Words
    number: int
    more: bool
    tone: str
    route: str
    query: str = ""


@dataclass(frozen=True)
class Tile:
    """A county of the schematic: e-cards in percent of active cards, and the tone of that, 1 to 5."""

    name: str
    code: str
    holders: int
    cards: int
    active: int
    ecards: int
    level: int

    @property
    def coverage(self) -> float:
        return percent(self.ecards, self.active)


@dataclass(frozen=True)
class Figures:
    """Figures of the officer's places.

    `trend`: a day, how many uses, their share of the busiest day in percent, and how many of them were admitted.
    `change` is yesterday against the same day of the week before, in percent; None where that had no use.
    """

    at: dt.datetime
    holders: int
    cards: int
    active: int
    ecards: int
    states: list[tuple[Words, int, float, str]]
    uses: list[tuple[Words, Words, int, bool]]
    today: int
    admitted: int
    trend: list[tuple[dt.date, int, float, int]]
    change: float | None
    tiles: list[Tile]

    @property
    def coverage(self) -> float:
        """E-cards in percent of active cards."""
        return percent(self.ecards, self.active)

    @property
    def target(self) -> float:
        """What the coverage is to come to, in percent."""
        return float(settings.ONECARD_ECARDS_TARGET_PERCENT)

    @property
    def admitted_share(self) -> float:
        """Admitted uses in percent of today's."""
        return percent(self.admitted, self.today)


def percent(part: int, whole: int) -> float:
    """A part in percent of a whole; of nothing it is 0."""
    return 100 * part / whole if whole else 0.0


def figures_of(actor: StaffActor) -> Figures | None:
    """The figures of the places where the officer may read figures, as the worker counted them; None before that."""
    places = actor.places_of("figures.read")
    counties = figures.divisions(places)
    days, counted_at = figures.days(places)
    if counted_at is None:
        return None
    states = Counter[str]()
    for each in counties:
        states.update(each.states)
    total, today = sum(states.values()), days[-1]
    return Figures(
        at=min([counted_at, *(each.counted_at for each in counties)]),
        holders=sum(each.holders for each in counties),
        cards=total,
        active=states[CardState.ACTIVE],
        ecards=sum(each.ecards for each in counties),
        states=[
            (words.CARD_STATES[state], states[state], percent(states[state], total), TONES.get(state.value, "idle"))
            for state in CardState
            if states[state]
        ],
        uses=_in_words(figures.frequent(places, today.day, USES_SHOWN)),
        today=today.number,
        admitted=today.admitted,
        trend=_trend(days),
        change=_change(days),
        tiles=[_tile(each) for each in counties],
    )


def _trend(days: Sequence[Day]) -> list[tuple[dt.date, int, float, int]]:
    most = max(day.number for day in days)
    return [(day.day, day.number, percent(day.number, most), day.admitted) for day in days]


def _change(days: Sequence[Day]) -> float | None:
    yesterday, before = days[-2].number, days[-9].number
    return percent(yesterday - before, before) if before else None


def _tile(each: Division) -> Tile:
    coverage = percent(each.ecards, each.active)
    level = 1 + sum(coverage >= step for step in LEVELS)
    name = divisions.name_of(each.code)
    return Tile(name, each.code, each.holders, sum(each.states.values()), each.active, each.ecards, level)


def _in_words(uses: Sequence[tuple[str, Verdict, int]]) -> list[tuple[Words, Words, int, bool]]:
    """A day's most frequent uses in words: item, verdict, how many, admitted or not."""
    names = {item.code: {"zh": item.name.zh, "en": item.name.en} for item in catalogue.in_force(clock.today())}
    return [
        (
            names.get(item, {"zh": item, "en": item}),
            {"zh": WORDS[verdict].zh, "en": WORDS[verdict].en},
            number,
            verdict is Verdict.ADMITTED,
        )
        for item, verdict, number in uses
    ]


# --- What waits -------------------------------------------------------------------------------------------------------


def waiting(actor: StaffActor) -> list[Waiting]:
    """What waits for somebody and this officer may look at; what is nothing is left out."""
    found = [*_chain(actor), *_risks(actor), *_versions(actor), *_requests(actor), *_uses(actor)]
    return [each for each in found if each.number]


def _chain(actor: StaffActor) -> Iterator[Waiting]:
    """The audit trail, where its last verification found it broken."""
    if not actor.holds("audit.read"):
        return
    last = verification.latest()
    faults = len(last.faults) if last is not None else 0
    yield Waiting(
        {"zh": "审计链有问题", "en": "The audit chain is broken"},
        {"zh": "最近一次校验发现记录被改动，请立即处理", "en": "The last verification found changes; act at once"},
        faults, False, "bad", "console_chain",
    )  # fmt: skip


def _risks(actor: StaffActor) -> Iterator[Waiting]:
    if actor.holds("audit.read_risks"):
        wanted = Filters(actor.places_of(watching.PERMISSION), None, (State.OPEN,))
        number = risks.number_of(wanted, RISKS_UP_TO)
        yield Waiting(
            {"zh": "待处置的风险事实", "en": "Open risk facts"},
            {"zh": "用卡异常，需要核查并记录处置", "en": "Signs of misuse to look at and follow up"},
            number, number == RISKS_UP_TO, "bad", "console_risks", "?state=open",
        )  # fmt: skip


def _versions(actor: StaffActor) -> Iterator[Waiting]:
    if actor.holds("catalogue.publish"):
        number = register.count_in_review(actor.places_of("catalogue.publish"), limit=VERSIONS_UP_TO)
        yield Waiting(
            {"zh": "等待发布的项目版本", "en": "Versions of items to publish"},
            {"zh": "已送审，须由另一位工作人员发布或退回", "en": "In review: another officer publishes or sends back"},
            number, number == VERSIONS_UP_TO, "warn", "console_items", "?stage=review",
        )  # fmt: skip


def _requests(actor: StaffActor) -> Iterator[Waiting]:
    """Endpoints that clients ask for, where this officer may file them."""
    if actor.reaches("sharing.add_endpoint", clients.EVERYWHERE):
        number = sharing.count_waiting(actor.places_of(clients.PERMISSION), limit=REQUESTS_UP_TO)
        yield Waiting(
            {"zh": "等待审核的接收地址", "en": "Endpoints to look at"},
            {"zh": "接入系统申请把消息送到这些地址", "en": "Clients ask to be sent messages there"},
            number, number == REQUESTS_UP_TO, "warn", "console_endpoint_requests",
        )  # fmt: skip


def _uses(actor: StaffActor) -> Iterator[Waiting]:
    if not actor.holds("uses.read"):
        return
    found, most = figures.to_do(actor.places_of("uses.read")), figures.COUNTED_UP_TO
    yield Waiting(
        {"zh": "离线差异", "en": "Offline differences"},
        {"zh": "近七天闸机与平台判定不同，或重复使用", "en": "Seven days of gates that differ, or codes used twice"},
        found.differing, found.differing == most, "warn", "console_uses", "?line=differs",
    )  # fmt: skip
    yield Waiting(
        {"zh": "银行指令未了结", "en": "Bank orders left open"},
        {"zh": "超过一天没有结果，需要与银行核对", "en": "Without an end for more than a day; ask the bank"},
        found.bank_orders, found.bank_orders == most, "bad", "console_risks", "?kind=bank_order_stuck",
    )  # fmt: skip
    yield Waiting(
        {"zh": "流水断链的终端", "en": "Terminals with a broken journal"},
        {"zh": "有用卡没有上传或被改动", "en": "Lines that were never sent, or were altered"},
        found.journals, found.journals == most, "bad", "console_risks", "?kind=journal_broken",
    )  # fmt: skip


# --- Tables -----------------------------------------------------------------------------------------------------------


def day_heads() -> tuple[str, ...]:
    """The heads of the table of days."""
    return _("日期"), _("用卡笔数"), _("通过")


def days_table(shown: Figures) -> Iterator[Sequence[object]]:
    """The days as cells."""
    return ((day, number, admitted) for day, number, _share, admitted in shown.trend)


def state_heads() -> tuple[str, ...]:
    """The heads of the table of cards' states, in the page's language."""
    return _("卡片状态"), _("张数"), _("占比（百分比）")


def states_table(shown: Figures) -> Iterator[Sequence[object]]:
    """The states as cells."""
    return ((in_language(name), number, f"{share:.1f}") for name, number, share, _tone in shown.states)


def county_heads() -> tuple[str, ...]:
    """The heads of the table of counties."""
    return _("地区"), _("代码"), _("持卡人"), _("社会保障卡"), _("正常卡"), _("电子社保卡"), _("签发率（百分比）")


def counties_table(shown: Figures) -> Iterator[Sequence[object]]:
    """The counties as cells."""
    for tile in shown.tiles:
        yield tile.name, tile.code, tile.holders, tile.cards, tile.active, tile.ecards, f"{tile.coverage:.1f}"
