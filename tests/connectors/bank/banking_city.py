"""A small city whose holders may pay by the bank account linked with their card."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.bank_process import BankProcess, a_token
from tests.gateway.process import send
from tests.small_city import Card, SmallCity, Terminal

# What the worker's job does to what is due; how many orders came to their end.
Settle = Callable[[], int]

BY_BANK = """
code = "transit.ferry"
version = 1
starts_on = 2020-01-01
name = { zh = "轮渡", en = "Ferry" }
legal_basis = ["test"]
price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }
means = ["bank", "purse"]
"""
PURCHASE = """
code = "shops.purchase"
version = 1
starts_on = 2020-01-01
name = { zh = "购物", en = "Purchase" }
legal_basis = ["test"]
price = { open_fen = [1, 100000], from = "holder.purse", to = "operator.receivable" }
means = ["bank", "purse"]
"""
HALF_ONCE = """
code = "culture.film"
version = 1
starts_on = 2020-01-01
name = { zh = "电影", en = "Film" }
legal_basis = ["test"]
price = { full_fen = 400, from = "holder.purse", to = "operator.receivable" }
means = ["bank", "purse"]
[[concession]]
class = "everyone"
region = "all"
price = { percent = 50 }
funded_by = "operator"
quota = { count = 1, period = "day" }
"""
# How an order comes to each state, from where its kind begins.
WAYS = {
    "asked": (),
    "approved": ("approved",),
    "refused": ("refused",),
    "held": ("approved", "held"),
    "captured": ("approved", "held", "captured"),
    "releasing": ("releasing",),
    "released": ("releasing", "released"),
    "due": (),
    "refunded": ("refunded",),
}
REFUND_STATES = ("due", "refunded")
_sequences = itertools.count(1)
ENDS = ["refused", "captured", "released", "refunded"]
FERRY, SHOP, FILM = "transit.ferry", "shops.purchase", "culture.film"


@dataclass(frozen=True)
class Order:
    """An order as it stands."""

    id: str
    kind: str
    state: str
    amount_fen: int
    use: str | None
    tries: int
    last_error: str | None


class BankingCity(SmallCity):
    """With a ferry, a shop and a film that is half the price once a day; all are paid by bank, or else by purse."""

    def __init__(self, owner_url: str) -> None:
        super().__init__(owner_url)
        for owner, role in ((self.operator, "operator.receivable"), (self.bank, "bank.settlement")):
            self.run("SELECT ledger_open(ARRAY[$1], $2, 'bank', false, NULL)", f"party:{owner}", role)
        for item, text in ((FERRY, BY_BANK), (SHOP, PURCHASE), (FILM, HALF_ONCE)):
            self.an_item(text)
            self._points[item] = self.a_point(item, self.operator)

    def a_customer(self, bank: BankProcess, fen: int = 10_000, *, purse_fen: int | None = None) -> tuple[Card, str]:
        """A card with an account that holds so much, and the account's token; by default without a purse."""
        card, token = self.a_card(purse_fen=purse_fen), bank.give(a_token(), fen)
        self.run("INSERT INTO cards_account (card_id, bank_id, token) VALUES ($1, $2, $3)", card.id, self.bank, token)
        return card, token

    def orders(self, card: Card) -> list[Order]:
        """A card's orders, the oldest first."""
        found = self.run(
            "SELECT id::text, kind, state, amount_fen, use_id::text, tries, last_error FROM uses_bank_order"
            " WHERE card_id = $1 ORDER BY asked_at, id",
            card.id,
        )
        return [Order(*row) for row in found]

    def states(self, card: Card) -> list[str]:
        return [order.state for order in self.orders(card)]

    def an_order(self, state: str = "asked", *, token: str = "", age: str = "0 s") -> UUID:
        """A payment of 200 fen, or with the state of a refund a refund of one, that went its legal way; nothing else
        stands behind it.
        """
        order, kind, payment, use = uuid4(), "payment", None, None
        if state in REFUND_STATES:
            kind, payment = "refund", self.an_order("captured")
            use = self.one("SELECT use_id FROM uses_bank_order WHERE id = $1", payment)
        self.run(
            "INSERT INTO uses_bank_order (id, kind, payment_id, terminal_id, journal, sequence, content, card_id,"
            " bank_id, token, item, amount_fen, state, use_id, asked_at, next_try_at)"
            " VALUES ($1, $2, $3, 1, $4, $5, '-', 1, $6, $7, 'x', 200, $8, $9, now() - $10::interval, now())",
            order, kind, payment, uuid4(), next(_sequences), self.bank, token or a_token(),
            "due" if kind == "refund" else "asked", use, age,
        )  # fmt: skip
        for step in WAYS[state]:
            self.move(order, step)
        return order

    def move(self, order: UUID, to: str) -> None:
        use = uuid4() if to == "held" else None
        self.run("UPDATE uses_bank_order SET state = $2, use_id = coalesce($3, use_id) WHERE id = $1", order, to, use)

    def hurry(self) -> None:
        """Let every order be due, as if its time had come."""
        self.run("UPDATE uses_bank_order SET next_try_at = now() WHERE state <> ALL ($1)", ENDS)

    def by_bank(self) -> int:
        """What the operator got through banks, which is what the bank owes it."""
        got = self.balance(self.operator, "operator.receivable", "bank")
        assert got == -self.balance(self.bank, "bank.settlement", "bank")
        return got


def a_ferry(city: BankingCity, card: Card) -> dict[str, Any]:
    return {"item": FERRY, "code": a_lasting_code(city, card)}


def a_purchase(city: BankingCity, card: Card, amount_fen: int = 200) -> dict[str, Any]:
    return {"item": SHOP, "code": a_lasting_code(city, card), "amount_fen": amount_fen}


def a_lasting_code(city: BankingCity, card: Card) -> str:
    now = int(time.time())
    return city.a_code(card, not_before=now, expires=now + 900)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@contextmanager
def sending(
    http: httpx.Client, terminal: Terminal, content: dict[str, Any], sequence: int | None = None
) -> Iterator["Future[httpx.Response]"]:
    """A request that is on its way while the test does something else."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(send, http, terminal, content, sequence=terminal.next() if sequence is None else sequence)
