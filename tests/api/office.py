"""What a test of the API arranges: clients with points and agreements, people with cards, uses."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from tests.api.process import a_system
from tests.foundation.web.faces import a_registered_holder
from tests.kernel.cards.builders import a_bank
from tests.kernel.sharing.builders import SYSTEM, a_basis, agree
from tests.small_city import PLACE, Card, SmallCity, Terminal, record

from onecard.kernel.cards import actions as cards
from onecard.kernel.cards.models import Card as Registered
from onecard.kernel.catalogue.models import Client, Point
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.holders.models import Holder
from onecard.kernel.sharing import actions as sharing
from onecard.kernel.sharing.scopes import Scope
from onecard.kernel.uses.lines import Answer
from onecard_kit.terms import Function

BUS, LIBRARY = "transit.bus_ride", "culture.library_entry"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class System:
    """A client's system: its credential, and one of its points with a terminal."""

    code: str
    client_id: int
    credential: tuple[str, str]
    point: str
    terminal: Terminal
    url: str

    @contextmanager
    def speaking(self, *scopes: Scope) -> Iterator[httpx.Client]:
        """Its requests, with a token for some scopes or for all there are."""
        with a_system(self.url, self.credential, *scopes) as client:
            yield client


class Office:
    """`city` is what the gates see, `urls` the roles' databases, `url` the API's address."""

    def __init__(self, city: SmallCity, urls: dict[str, str], url: str) -> None:
        self.city, self.urls, self.url = city, urls, url
        a_basis()

    def a_system(self, *scopes: Scope, item: str = BUS, **agreed: Any) -> System:
        """A client with a point of its own, a credential, and an agreement about some scopes or all."""
        operator = self.city.operator if item == BUS else self.city.library
        code = f"SYS-{next(_numbers)}"
        point = Point.objects.get(pk=self.city.a_point(item, operator, code))
        Client.objects.filter(pk=point.client_id).update(name_zh=code, name_en=code)
        agree(code, *(scopes or tuple(Scope)), **agreed)
        credential = sharing.give_credential(SYSTEM, code)
        terminal = self.city.a_terminal(item, point=point.pk)
        return System(code, point.client_id, credential, point.code, terminal, self.url)

    def a_holder(self) -> tuple[Holder, Registered]:
        """An invented person of the register, with a card whose functions are active."""
        holder = a_registered_holder(sequence=100 + next(_numbers))
        card = cards.issue(SYSTEM, holder.pk, place=PLACE, bank=a_bank().code)
        for function in (Function.SOCIAL_SECURITY, Function.TRANSIT):
            cards.activate_function(SYSTEM, card.pk, function)
        return holder, card

    def shown(self, card: Registered, purse_fen: int = 10_000) -> Card:
        """A registered card with its e-card and money in the purse, as the gates of the small city see it."""
        ecards.sign_up(SYSTEM, card.pk)
        purse = cards.open_purse(SYSTEM, card.holder_id)
        self.city.transfer(self.city.account(self.city.bank, "bank.clearing"), purse, purse_fen, "opening")
        serial = self.city.one("SELECT ecard_serial FROM cards_standing WHERE card_id = $1", card.pk)
        return Card(card.pk, card.holder_id, card.number, serial, purse)

    def a_use(self, system: System, card: Card | None = None, *, item: str = BUS) -> UUID:
        """Record a use at a system's terminal, of somebody with money unless a card is given; its id."""
        line = self.city.a_line(system.terminal, card or self.city.a_card(), item=item)
        [[answer]] = record(self.urls["gateway"], [line])
        assert isinstance(answer, Answer)
        return answer.use_id

    def facts(self, verb: str, subject: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Actor, reason and detail of facts, the oldest first."""
        return self.city.run(
            "SELECT actor, reason, detail FROM audit_fact WHERE verb = $1 AND subject = $2 ORDER BY id", verb, subject
        )


__all__ = ["BUS", "LIBRARY", "PLACE", "Office", "System"]
