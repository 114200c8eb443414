"""What a client learns of a holder: each reading takes an agreement and leaves a fact about the holder with its
purpose, which is what the holder sees.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from onecard.foundation import clock, crypto, keys
from onecard.foundation.errors import BadInput, NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import queries as facts
from onecard.kernel.cards import queries as cards
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import CardState, FunctionState
from onecard.kernel.holders import rules
from onecard.kernel.holders.models import Holder
from onecard.kernel.sharing import pseudonyms, queries
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.sharing.queries import Caller
from onecard.kernel.sharing.scopes import Scope
from onecard_kit.terms import Function

VERB = "sharing.disclose"


@dataclass(frozen=True)
class CardStatus:
    """What a client is told of a card. `ecard` is whether an e-card stands on it; it has no state of its own.

    `usable`: active and not past its last valid day.
    """

    issuing_place: str
    generation: int
    state: CardState
    functions: dict[Function, FunctionState]
    valid_to: dt.date
    usable: bool
    ecard: bool


@dataclass(frozen=True)
class Disclosure:
    """One reading of a holder's data, as the holder may see it: when, and under which agreement, which says by whom,
    what by its scope, and what for.
    """

    id: int
    at: dt.datetime
    agreement: Agreement


@transaction.atomic
def identify(caller: Caller, *, identity_number: str | None = None, card_number: str | None = None) -> str:
    """A caller's pseudonym of the holder whose identity or card number it has in hand; leaves a fact.

    Raises BadInput ONE_NUMBER, NotFound HOLDER_UNKNOWN; neither says whether a number is well formed.
    """
    if (identity_number is None) == (card_number is None):
        raise BadInput(
            "ONE_NUMBER", "请给出证件号码或卡号，二者之一。", "Give one of the identity number and the card number."
        )
    holder_id = _by_identity(identity_number) if identity_number is not None else _by_card(card_number or "")
    if holder_id is None:
        raise _unknown()
    by = "identity_number" if identity_number is not None else "card_number"
    disclose(caller, Scope.IDENTIFY, holder_id, {"by": by})
    return pseudonyms.of_holder(caller.client_id, holder_id)


@transaction.atomic
def card_status(caller: Caller, pseudonym: str) -> list[CardStatus]:
    """The cards of a holder, the newest first; leaves a fact. Raises NotFound HOLDER_UNKNOWN."""
    holder_id = holder_named(caller, pseudonym)
    held = cards.of_holder(holder_id)
    disclose(caller, Scope.CARDS, holder_id, {"cards": len(held)})
    signed = cards.with_ecard([card.pk for card in held])
    return [_status(card, card.pk in signed) for card in held]


def holder_named(caller: Caller, pseudonym: str) -> int:
    """The holder whom a caller knows under a pseudonym. Raises NotFound HOLDER_UNKNOWN."""
    holder_id = pseudonyms.holder_of(caller.client_id, pseudonym)
    if holder_id is None:
        raise _unknown()
    return holder_id


def disclose(caller: Caller, scope: Scope, holder_id: int, detail: dict[str, object]) -> None:
    """Leave the fact that a caller learns something of a holder, under the agreement that lets it."""
    _disclose_all(caller, scope, {holder_id: detail})


def disclose_list(caller: Caller, holder_ids: Sequence[int | None]) -> None:
    """Leave the fact that a caller sees whose some uses were, where it may; one for each holder of the list."""
    if Scope.USES_HOLDERS in caller.scopes:
        counted = Counter(each for each in holder_ids if each is not None)
        _disclose_all(caller, Scope.USES_HOLDERS, {holder_id: {"uses": uses} for holder_id, uses in counted.items()})


def _disclose_all(caller: Caller, scope: Scope, details: Mapping[int, dict[str, object]]) -> None:
    if not details:
        return
    agreed = queries.agreement_of(caller, scope)
    under = {"scope": scope.value, "agreement": agreed.pk}
    told = {f"holder:{holder_id}": {**under, **detail} for holder_id, detail in details.items()}
    audit.record_all(caller.actor, VERB, told, reason=agreed.purpose_zh)


def of_holder(holder_id: int, *, before: int | None = None, limit: int = facts.PAGE) -> list[Disclosure]:
    """Who read a holder's data, the newest first; `before` is the last id of the page above."""
    found = facts.facts_about(f"holder:{holder_id}", verb=VERB, before=before, limit=limit)
    agreed = Agreement.objects.select_related("client").in_bulk([fact.detail["agreement"] for fact in found])
    return [Disclosure(fact.pk, fact.at, agreed[fact.detail["agreement"]]) for fact in found]


def _by_identity(number: str) -> int | None:
    index = crypto.blind_index(keys.load("identity"), "number", rules.normalise_number(number))
    return Holder.objects.filter(number_index=index).values_list("pk", flat=True).first()


def _by_card(number: str) -> int | None:
    return Card.objects.filter(number=number.strip().upper()).values_list("holder_id", flat=True).first()


def _status(card: Card, ecard: bool) -> CardStatus:
    functions = {Function(each.function): FunctionState(each.state) for each in card.functions.all()}
    usable = card.state == CardState.ACTIVE and card.valid_to >= clock.today()
    return CardStatus(
        card.issuing_place, card.generation, CardState(card.state), functions, card.valid_to, usable, ecard
    )


def _unknown() -> NotFound:
    return NotFound(
        "HOLDER_UNKNOWN",
        "没有这位持卡人。",
        "There is no such holder.",
        next_zh="请核对号码或代号；代号只在取得它的系统有效。",
        next_en="Check the number or the pseudonym; a pseudonym is good for the client that got it only.",
    )
