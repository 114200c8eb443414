"""A small city on the coast: ferries, cable cars, trams and halls; they differ in who pays for what a gate let pass."""

import datetime as dt
import time
from typing import NamedTuple

import psycopg
from tests.reliability.oracle import Terms
from tests.small_city import PLACE, Card, SmallCity, Terminal

from onecard.foundation import clock
from onecard_kit import card_file
from onecard_kit.card_file import CardFile
from onecard_kit.classes import BY_CODE
from onecard_kit.presentation import Chip
from onecard_kit.refs import permutation
from onecard_kit.status_list import Status, StatusList, compress, pack, subject_of
from onecard_kit.terms import Function

FERRY, CABLE, TRAM, HALL = "transit.ferry", "tourism.cable_car", "transit.tram", "culture.hall_entry"
TERMS = {
    FERRY: Terms(300, half_for_seniors=True, shortfall="holder", double="holder", refused="operator"),
    CABLE: Terms(200, off_fen=10, shortfall="platform", double="platform", refused="platform"),
    TRAM: Terms(150, shortfall="operator", double="holder", refused="treasury.city"),
    HALL: Terms(a_day=3),
}
HEAD = """
code = "{code}"
version = 1
starts_on = 2020-01-01
name = {{ zh = "测试项目", en = "Test item" }}
legal_basis = ["test"]
"""
PRICE = 'price = {{ full_fen = {fen}, from = "holder.purse", to = "operator.receivable" }}\n'
OFFLINE = (
    'offline = {{ limit_fen = 2000, days = 7, shortfall = "{0.shortfall}", double = "{0.double}",'
    ' refused = "{0.refused}" }}\n'
)
MORE = {
    FERRY: """
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "treasury.city"
quota = { count = 2, period = "day" }
""",
    CABLE: """
[[concession]]
class = "everyone"
region = "all"
price = { percent = 95 }
funded_by = "operator"
""",
    TRAM: "",
    HALL: 'limit = { count = 3, period = "day" }\n',
}
SENIOR = "senior_60"
CARDS_MAX = 4096


class Holder(NamedTuple):
    """A synthetic holder's card, its place in the list of cards, and the file that is on it."""

    card: Card
    serial: int
    is_senior: bool
    file: str


class Coast(SmallCity):
    """Five points an item; holders and terminals as many as are asked for."""

    def _found(self) -> None:
        super()._found()
        self.run(
            "SELECT ledger_open(ARRAY[$1], 'platform.shortfall', 'purse', false, NULL)", f"party:{self.library}"
        )  # fmt: skip
        for code, terms in TERMS.items():
            price = PRICE.format(fen=terms.full_fen) if terms.full_fen else ""
            self.an_item(HEAD.format(code=code) + price + OFFLINE.format(terms) + MORE[code])
        self.points = {code: [self.a_point(code, self.operator) for _ in range(5)] for code in TERMS}
        self.make_lasting_key()
        self.run("UPDATE ecards_key SET sign_from = now() - interval '30 days'")

    def a_gate(self, item: str, n: int) -> Terminal:
        return self.a_terminal(item, point=self.points[item][n % 5], attended=n % 10 == 0)

    def a_holder(self, serial: int, purse_fen: int, is_senior: bool) -> Holder:
        """Whoever is a senior was one for years."""
        card = self._a_card(purse_fen, [(SENIOR, "2020-01-01", None)] if is_senior else [])
        now, classes = int(time.time()), (BY_CODE[SENIOR].number,) if is_senior else ()
        said = CardFile(
            PLACE, card.number, serial, 3, tuple(Function), classes, now - 30 * 86_400, now + 365 * 86_400
        )  # fmt: skip
        return Holder(card, serial, is_senior, card_file.write(said, self.lasting))

    def _a_card(self, purse_fen: int, classes: list[tuple[str, str, str | None]]) -> Card:
        while True:
            try:
                return self.a_card(purse_fen=purse_fen, classes=classes)
            except psycopg.errors.UniqueViolation:  # two e-cards drew one serial
                continue

    def code_at(self, holder: Holder, at_ms: int) -> str:
        """The code that the holder's phone shows at a moment."""
        start = at_ms // 60_000 * 60
        classes = (BY_CODE[SENIOR].number,) if holder.is_senior else ()
        return self.a_code(
            holder.card, at=moment(at_ms), not_before=start, expires=start + 60, classes=classes
        )  # fmt: skip

    def tap_at(self, holder: Holder, counter: int, terminal: Terminal, journal: str, sequence: int) -> Chip:
        """One reading of the holder's card."""
        from onecard_kit import chips

        key = chips.card_key(self.cards_ring.derive("chip"), holder.card.number)
        shown = chips.cryptogram(key, holder.card.number, counter, terminal.code, journal, sequence)
        return Chip(holder.card.number, counter, shown.hex())

    def set_state(self, holder: Holder, state: str, at_ms: int) -> None:
        """Let a card have been in a state from a moment on, as its past tells it."""
        self.run("UPDATE cards_standing SET card_state = $2 WHERE card_id = $1", holder.card.id, state)
        self.run("ALTER TABLE cards_past DISABLE TRIGGER refuse_change")
        self.run(
            "UPDATE cards_past SET until = to_timestamp($2::float8 / 1000) WHERE card_id = $1"
            " AND until = (SELECT max(until) FROM cards_past WHERE card_id = $1)",
            holder.card.id,
            at_ms,
        )
        self.run("ALTER TABLE cards_past ENABLE TRIGGER refuse_change")

    # --- lists ---

    def lists_with(self, lost: list[Holder], at_ms: int) -> dict[str, StatusList]:
        """The lists of a moment, for three days from the one before on."""
        made = {
            subject_of(PLACE, "cards"): _a_list("cards", CARDS_MAX, at_ms, [each.serial for each in lost]),
            subject_of(PLACE, "papers"): _a_list("papers", CARDS_MAX, at_ms, []),
            subject_of(PLACE, "terminals"): _a_list("terminals", CARDS_MAX, at_ms, []),
        }
        for ahead in (-1, 0, 1):
            day = clock.day_of(moment(at_ms)) + dt.timedelta(days=ahead)
            refs = permutation(self.codes_ring.derive("ref"), day)
            marked = [refs.ref(each.card.serial) for each in lost]
            made[subject_of(PLACE, day)] = _a_list(day, 1 << 24, at_ms, marked)
        return made

    # --- what came of it ---

    def owed(self) -> dict[int, int]:
        """What holders owe, by holder."""
        rows = self.run(
            "SELECT substr(a.owner, 8)::bigint, sum(CASE WHEN t.debit_account = a.id THEN t.amount_fen"
            " ELSE -t.amount_fen END)::bigint FROM ledger_account a"
            " JOIN ledger_transfer t ON a.id IN (t.debit_account, t.credit_account)"
            " WHERE a.role = 'holder.debt' GROUP BY 1"
        )
        return {holder: owed for holder, owed in rows if owed}

    def purses(self) -> dict[int, int]:
        """What holders have, by holder."""
        return dict(
            self.run(
                "SELECT s.holder_id, b.free_fen FROM cards_standing s"
                " JOIN ledger_balance b ON b.account_id = s.purse_account_id"
            )
        )


def _a_list(name: dt.date | str, size: int, at_ms: int, lost: list[int]) -> StatusList:
    issued = at_ms // 1000
    entries = pack(size, [(index, Status.SUSPENDED) for index in lost])
    return StatusList(subject_of(PLACE, name), issued, issued + 14 * 86_400, 60, compress(entries))


def moment(at_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
