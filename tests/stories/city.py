"""The city in which stories are told: the demo city's items and points as they stand, and a card for whoever comes."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import asyncpg
from tests.small_city import Card, SmallCity, Terminal

from onecard.demo import nantong
from onecard.foundation import clock
from onecard.foundation.clock import CHINA
from onecard.foundation.ids import uuid7
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.lines import Answer, Line
from onecard.kernel.uses.refunds import Asked, Refund, refund
from onecard_kit.reasons import reasons
from onecard_kit.terms import Leg
from onecard_kit.verdicts import Verdict

# A Wednesday, the Saturday after it, and Labour Day: one of each kind of day by the published calendar.
WORKING, WEEKEND, HOLIDAY = "2026-03-11", "2026-03-14", "2026-05-01"
NOON = "12:00"
NANTONG, SHANGHAI, TAIZHOU, BEIJING = "320600", "310000", "321200", "110000"


def at(day: str, time: str = NOON) -> dt.datetime:
    """A moment in China."""
    return dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=CHINA)


def counts_as(*classes: str) -> list[tuple[str, str, str | None]]:
    """What a holder counts as, since long ago and for good."""
    return [(each, "2020-01-01", None) for each in classes]


class StoryCity(SmallCity):
    """`urls` are those of a copy of the demo city's catalogue, by role. Uses are recorded as a gateway does it: on one
    connection, with what such a process remembers.
    """

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls
        self._terminals: dict[str, Terminal] = {}
        self._loop, self._memory = asyncio.Runner(), Memory()
        self._gate: asyncpg.Connection = self._loop.run(asyncpg.connect(urls["gateway"]))
        super().__init__(urls["owner"])

    def close(self) -> None:
        self._loop.run(self._gate.close())
        self._loop.close()
        self.connection.close()

    def _found(self) -> None:
        """Everything stands already; only who is who."""
        self.parties: dict[str, int] = dict(self.run("SELECT code, id FROM partners_party"))
        self.operator, self.library, self.bank, self.treasury = (
            self.parties[code] for code in (nantong.BUS, nantong.LIBRARY, nantong.BANK, nantong.TREASURY)
        )

    def a_holder(
        self, *classes: str, fen: int | None = 10_000, place: str = NANTONG, state: str = "active",
        function_state: str = "active",
    ) -> Card:  # fmt: skip
        """A card of somebody who counts as these classes, with so much in the purse; None: without one."""
        return self.a_card(
            purse_fen=fen, state=state, function_state=function_state, place=place, classes=counts_as(*classes)
        )

    def terminal_at(self, point: str) -> Terminal:
        """A terminal of a point of the demo city."""
        if point not in self._terminals:
            (point_id,) = self.run("SELECT id FROM catalogue_point WHERE code = $1", point)[0]
            self._terminals[point] = self.a_terminal(point=point_id)
        return self._terminals[point]

    def desk_at(self, point: str) -> Terminal:
        """A terminal of a point of the demo city with staff beside it."""
        key = f"{point} attended"
        if key not in self._terminals:
            (point_id,) = self.run("SELECT id FROM catalogue_point WHERE code = $1", point)[0]
            self._terminals[key] = self.a_terminal(point=point_id, attended=True)
        return self._terminals[key]

    # --- what happens ---

    def say(self, card: Card | None, item: str, point: str, when: dt.datetime) -> Verdict:
        """Read a number aloud to staff of a point; without a card it is nobody's."""
        return self.together(self.read_aloud(self.desk_at(point), card, item, when))[0].verdict

    def line(
        self, card: Card, item: str, point: str, when: dt.datetime, *, amount_fen: int | None = None,
        leg: Leg | None = None, counter: int | None = None,
    ) -> Line:  # fmt: skip
        """What a terminal of the point sends at that moment: a fresh code, or with `counter` the card itself."""
        terminal = self.terminal_at(point)
        made = self.a_line(terminal, card, item=item, amount_fen=amount_fen, at=when, leg=leg, counter=counter)
        made.id = uuid7(int(when.timestamp() * 1000))  # its id carries the time of recording
        return made

    def use(
        self, card: Card, item: str, point: str, when: dt.datetime, *, amount_fen: int | None = None,
        leg: Leg | None = None, counter: int | None = None,
    ) -> Answer:  # fmt: skip
        """Present a card and hear the answer."""
        return self.together(self.line(card, item, point, when, amount_fen=amount_fen, leg=leg, counter=counter))[0]

    def together(self, *lines: Line) -> list[Answer]:
        """Record lines as one group."""
        outcomes = self._loop.run(record_group(self._gate, list(lines), self._memory))
        answers = [each for each in outcomes if isinstance(each, Answer)]
        assert len(answers) == len(lines), outcomes
        return answers

    def verdict(
        self, card: Card, item: str, point: str, when: dt.datetime, *, amount_fen: int | None = None,
        leg: Leg | None = None,
    ) -> Verdict:  # fmt: skip
        """Present a card; only the verdict."""
        return self.use(card, item, point, when, amount_fen=amount_fen, leg=leg).verdict

    def give_back(self, use: Answer, point: str, when: dt.datetime) -> Refund:
        """Ask at a point, at that moment, that a use be given back. Raises the refusal."""
        terminal = self.terminal_at(point)
        asked = Asked(use.use_id, terminal.id, terminal.key_id, terminal.journal, terminal.next())
        with patch.object(clock, "now", lambda: when.astimezone(dt.UTC)):
            return self._loop.run(refund(self._gate, asked, self._memory))

    # --- what came of it ---

    @contextmanager
    def money(self) -> Iterator[dict[str, int]]:
        """What the accounts of parties got (plus) or gave (minus) inside, in fen, told when it is over, each by
        ``<party> <role> <ledger>``.
        """
        before = self._balances()
        moved: dict[str, int] = {}
        yield moved
        after = self._balances()
        moved |= {key: fen - before.get(key, 0) for key, fen in after.items() if fen != before.get(key, 0)}

    def _balances(self) -> dict[str, int]:
        found = self.run(
            "SELECT concat_ws(' ', p.code, a.role, a.ledger), m.fen::bigint FROM ("
            " SELECT account, sum(fen) AS fen FROM ("
            "  SELECT credit_account AS account, amount_fen AS fen, kind FROM ledger_transfer"
            "  UNION ALL SELECT debit_account, -amount_fen, kind FROM ledger_transfer) x"
            " WHERE kind IN ('posted', 'post') GROUP BY account) m"
            " JOIN ledger_account a ON a.id = m.account JOIN partners_party p ON a.owner = 'party:' || p.id"
        )
        return dict(found)


def why(answer: Answer) -> list[str]:
    """The codes of the reasons that the terminal shows."""
    told = reasons(
        answer.verdict, answer.item, answer.full_fen, answer.paid_fen, answer.waived_fen, answer.concession,
        answer.held_fen,
    )  # fmt: skip
    assert all(each["zh"] and each["en"] for each in told)
    return [each["code"] for each in told]
