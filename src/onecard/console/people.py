"""View values of a holder's page: who it is, masked, with classes, certificates and cards, and what may be done."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from onecard.console.moves import Offered, grouped, offered
from onecard.foundation import clock
from onecard.foundation.errors import NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards import queries as cards
from onecard.kernel.cards import words
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import CardState, FunctionState
from onecard.kernel.holders import divisions, rules
from onecard.kernel.holders import queries as holders
from onecard.kernel.holders.models import Certificate
from onecard.kernel.holders.queries import Line
from onecard.kernel.ledger import queries as ledger
from onecard.kernel.partners.models import Party
from onecard.kernel.staff.queries import StaffActor
from onecard_kit.classes import BY_CODE
from onecard_kit.terms import Function

Words = dict[str, str]
STATE_TONES = {"active": "ok", "temp_lost": "warn", "lost": "bad", "locked": "bad"}
FUNCTION_TONES = {"active": "ok", "suspended": "warn"}


@dataclass(frozen=True)
class CardShown:
    """A card with its functions and every move of it."""

    id: int
    number: str
    state: Words
    tone: str
    functions: list[tuple[Words, Words, str]]
    bank: Words
    place: str
    generation: int
    issued_on: dt.date
    valid_to: dt.date
    expired: bool
    ecard: bool
    may: list[tuple[Words, list[Offered]]]
    may_not: list[Offered]


@dataclass(frozen=True)
class Person:
    """A holder's page. `purse` is its account and what may be spent, in fen; None without one."""

    line: Line
    place: str
    classes: list[Words]
    certificates: list[tuple[Words, dt.date, dt.date | None, bool]]
    cards: list[CardShown]
    held: list[Card]
    purse: tuple[int, int] | None


def line_of(actor: StaffActor, holder_id: int) -> Line:
    """A holder of the officer's places, masked. Raises NotFound HOLDER_UNKNOWN."""
    line = holders.by_id(actor.only("holders.read"), holder_id)
    if line is None:
        raise NotFound(
            "HOLDER_UNKNOWN",
            "没有这位持卡人，或者不在您的管辖范围内。",
            "There is no such holder, or none of your places.",
            next_zh="请重新查询。",
            next_en="Search again.",
        )
    return line


@transaction.atomic
def look(actor: StaffActor, holder_id: int) -> Line:
    """As `line_of`, leaving a fact: whoever opens a person's page sees more than a search tells."""
    line = line_of(actor, holder_id)
    audit.record(actor, "holders.read", f"holder:{line.id}", place=line.place, detail=actor.signed)
    return line


def person(actor: StaffActor, line: Line) -> Person:
    """Everything of a holder's page but its history."""
    held = cards.of_holder(line.id)
    banks = Party.objects.in_bulk([card.bank_id for card in held])
    signed = cards.with_ecard([card.pk for card in held])
    return Person(
        line=line,
        place=divisions.name_of(line.place),
        classes=[_class(code) for code in holders.classes_on(line.id, clock.today())],
        certificates=[_certificate(each) for each in holders.certificates(line.id)],
        cards=[_card(actor, card, banks[card.bank_id], card.pk in signed) for card in held],
        held=held,
        purse=_purse(line.id),
    )


def card_of(line: Line, card_id: int) -> Card:
    """A card of a holder. Raises NotFound CARD_UNKNOWN."""
    found = next((card for card in cards.of_holder(line.id) if card.pk == card_id), None)
    if found is None:
        raise NotFound("CARD_UNKNOWN", "没有这张卡。", "There is no such card.")
    return found


def _purse(holder_id: int) -> tuple[int, int] | None:
    account = ledger.account_of(f"holder:{holder_id}", "holder.purse", "purse")
    return (account.pk, ledger.balance_of(account.pk).free_fen) if account is not None else None


def _class(code: str) -> Words:
    known = BY_CODE.get(code)
    return {"zh": known.zh, "en": known.en} if known else {"zh": code, "en": code}


def _certificate(each: Certificate) -> tuple[Words, dt.date, dt.date | None, bool]:
    kind = rules.KINDS.get(each.kind)
    name = {"zh": kind.zh, "en": kind.en} if kind else {"zh": each.kind, "en": each.kind}
    return name, each.valid_from, each.valid_to, each.withdrawn_at is not None


def _card(actor: StaffActor, card: Card, bank: Party, signed: bool) -> CardShown:
    states = {each.function: FunctionState(each.state) for each in card.functions.all()}
    moves = offered(actor, card)
    return CardShown(
        id=card.pk,
        number=words.masked(card.number),
        state=words.CARD_STATES[CardState(card.state)],
        tone=STATE_TONES.get(card.state, ""),
        functions=[
            (words.FUNCTIONS[each], words.FUNCTION_STATES[states[each]], FUNCTION_TONES.get(states[each], ""))
            for each in Function
        ],
        bank={"zh": bank.name_zh, "en": bank.name_en},
        place=divisions.name_of(card.issuing_place),
        generation=card.generation,
        issued_on=card.issued_on,
        valid_to=card.valid_to,
        expired=card.valid_to < clock.today(),
        ecard=signed,
        may=grouped(each for each in moves if each.why is None),
        may_not=[each for each in moves if each.why is not None],
    )
