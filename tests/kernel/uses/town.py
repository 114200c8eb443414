"""A small city with a metro, a park and a museum, and somebody who plays in it."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from tests.small_city import Card, SmallCity, Terminal, record

from onecard.foundation import clock, crypto
from onecard.foundation.errors import OneCardError
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.explain import Explanation, WhatIf, of_use, what_if
from onecard.kernel.uses.lines import Answer
from onecard.kernel.uses.present import Presented
from onecard.kernel.uses.refunds import Asked, Refund, refund
from onecard_kit.terms import Leg, Medium

METRO = """
code = "transit.metro_ride"
version = {version}
starts_on = {starts_on}
name = {{ zh = "轨道交通", en = "Metro" }}
legal_basis = ["test"]
journey = {{ ends_after_hours = 4 }}
day_cap_fen = 900
transfer = {{ after = ["transit.bus_ride", "transit.metro_ride"], within_minutes = 60, off_fen = 100 }}
[price]
from = "holder.purse"
to = "operator.receivable"
[price.distance]
steps = [[3000, {least}], [9000, 400], [20000, 600]]
[[price.distance.line]]
code = "1"
stations = [["S1", 0], ["S2", 2000], ["S3", 8000], ["S4", 15000]]
[[concession]]
class = "senior_60"
price = {{ percent = 50 }}
funded_by = "treasury.city"
"""
PASS = """
code = "tourism.park_pass"
version = 1
starts_on = 2020-01-01
name = { zh = "公园年卡", en = "Park pass" }
legal_basis = ["test"]
pass = { activate_within_days = 90, lasts_days = 365, uses = 2 }
price = { full_fen = 5000, from = "holder.purse", to = "operator.receivable" }
"""
PARK = """
code = "tourism.scenic_entry"
version = 1
starts_on = 2020-01-01
name = { zh = "景区入园", en = "Scenic entry" }
legal_basis = ["test"]
price = { full_fen = 3000, from = "holder.purse", to = "operator.receivable" }
[[concession]]
pass = "tourism.park_pass"
region = "all"
price = { percent = 0 }
funded_by = "operator"
"""
MUSEUM = """
code = "culture.museum_entry"
version = 1
starts_on = 2020-01-01
name = { zh = "博物馆参观", en = "Museum entry" }
legal_basis = ["test"]
capacity = { count = 2, period = "day" }
refund = { within_days = 0 }
"""
METRO_ITEM, PASS_ITEM, PARK_ITEM, MUSEUM_ITEM = (
    "transit.metro_ride",
    "tourism.park_pass",
    "tourism.scenic_entry",
    "culture.museum_entry",
)


class Town:
    """A small city with a metro of four stations, a park and a museum."""

    def __init__(self, city: SmallCity, gate: str) -> None:
        self.city, self.gate = city, gate
        city.an_item(METRO.format(version=1, starts_on="2020-01-01", least=200))
        for text in (PASS, PARK, MUSEUM):
            city.an_item(text)
        self.stations = {
            code: city.a_terminal(METRO_ITEM, point=city.a_point(METRO_ITEM, city.operator, code))
            for code in ("S1", "S2", "S3", "S4")
        }
        self.shop, self.park = (self.a_terminal(item) for item in (PASS_ITEM, PARK_ITEM))

    def a_terminal(self, item: str) -> Terminal:
        return self.city.a_terminal(item, point=self.city.a_point(item, self.city.operator))

    def tap(self, card: Card, station: str, leg: Leg, at: dt.datetime | None = None) -> Answer:
        return self.use(card, self.stations[station], METRO_ITEM, leg, at)

    def use(
        self, card: Card, terminal: Terminal, item: str, leg: Leg | None = None, at: dt.datetime | None = None
    ) -> Answer:
        [[answer]] = record(self.gate, [self.city.a_line(terminal, card, item=item, leg=leg, at=at)])
        assert isinstance(answer, Answer)
        return answer

    def asked(self, use_id: UUID, terminal: Terminal) -> Asked:
        """What a terminal asks that wants a use given back, under a key of its own."""
        return Asked(use_id, terminal.id, terminal.key_id, uuid4(), 1)

    def refund(self, asked: Asked) -> Refund:
        """Give a use back. Raises the refusal."""

        async def go() -> Refund:
            connection = await asyncpg.connect(self.gate)
            try:
                return await refund(connection, asked, Memory())
            finally:
                await connection.close()

        return asyncio.run(go())

    def give_back(self, use_id: UUID, terminal: Terminal) -> str:
        """ "" or why not."""
        try:
            self.refund(self.asked(use_id, terminal))
        except OneCardError as error:
            return error.code
        return ""


def told(answer: Answer) -> tuple[str, int, int, int]:
    return answer.verdict.value, answer.full_fen, answer.paid_fen, answer.waived_fen


def minutes_ago(minutes: int) -> dt.datetime:
    return clock.now() - dt.timedelta(minutes=minutes)


# --- Explanations -------------------------------------------------------------------------------------------------


def ask(url: str, question: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
    """Ask on a connection of the gateway's role."""

    async def go() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await question(connection)
        finally:
            await connection.close()

    return asyncio.run(go())


def suppose(
    town: Town, card: Card, terminal: Terminal, item: str, leg: Leg | None = None, amount_fen: int | None = None,
    medium: Medium = Medium.CODE, at: dt.datetime | None = None, bank: str | None = "away",
) -> Explanation:  # fmt: skip
    """What would become of a use of a card that is shown genuine and fresh."""
    shown = Presented(Medium.CODE, serial=card.serial)
    if medium is Medium.CARD:
        index = crypto.blind_index(town.city.cards_ring, "card_number", card.number)
        shown = Presented(Medium.CARD, number_index=index)
    asked = WhatIf(terminal.id, item, shown, at or clock.now(), amount_fen, leg, bank=bank)
    found: Explanation = ask(town.gate, lambda connection: what_if(connection, asked, Memory()))
    return found


def explained(town: Town, use_id: UUID) -> Explanation:
    found: Explanation = ask(town.gate, lambda connection: of_use(connection, use_id, Memory()))
    return found
