"""Builders of cards and of what they stand on: only the point of a test is stated, the rest is believable."""

import datetime as dt
import itertools
import secrets

from django.db import connection

from onecard.foundation import clock
from onecard.kernel.cards import actions
from onecard.kernel.cards.models import Card, CardFunction
from onecard.kernel.cards.rules import CardState, FunctionState
from onecard.kernel.holders.models import Holder
from onecard.kernel.partners.models import Party, PartyKind
from onecard_kit.terms import Function

PLACE = "320600"
_drawn = itertools.count(1)


def a_bank(code: str = "nt-rcb") -> Party:
    """A partner bank."""
    bank, _ = Party.objects.get_or_create(
        code=code, defaults={"kind": PartyKind.BANK, "name_zh": "农商行", "name_en": "Rural bank", "division": PLACE}
    )
    return bank


def a_holder(*, life: str = "alive") -> Holder:
    """A person nobody can read: the sealed columns hold noise."""
    return Holder.objects.create(
        place=PLACE,
        number_sealed=b"-",
        number_index=secrets.token_bytes(16),
        name_sealed=b"-",
        name_index=secrets.token_bytes(16),
        initials_index=secrets.token_bytes(16),
        birth_date=dt.date(1950, 5, 1),
        sex=1,
        life=life,
        synthetic=True,
    )


def a_card(
    *,
    state: CardState = CardState.ACTIVE,
    before_loss: CardState | None = None,
    functions: FunctionState = FunctionState.ACTIVE,
    holder: Holder | None = None,
    valid_to: dt.date | None = None,
) -> Card:
    """A card in any state, loaded as the owner loads one, with all three functions in one state, and its standing."""
    if state is CardState.TEMP_LOST and before_loss is None:
        before_loss = CardState.ACTIVE
    today = clock.today()
    with connection.cursor() as cursor:
        cursor.execute("SET onecard.loading = 'on'")
    card = Card.objects.create(
        number=f"T{next(_drawn):08d}",
        identifier=PLACE + secrets.token_hex(13).upper(),
        holder=holder or a_holder(),
        issuing_place=PLACE,
        bank=a_bank(),
        generation=3,
        state=state.value,
        state_before_loss=before_loss.value if before_loss else None,
        issued_on=today,
        valid_to=valid_to or today.replace(year=today.year + 10, day=1),
    )
    CardFunction.objects.bulk_create(
        CardFunction(card=card, function=function.value, state=functions.value) for function in Function
    )
    with connection.cursor() as cursor:
        cursor.execute("RESET onecard.loading")
    card.refresh_from_db()
    actions.refresh_standing([card.pk])
    return card
