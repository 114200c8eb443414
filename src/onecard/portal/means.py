"""View values of the page on ways to pay: which items take more than one, and what the holder chose."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from onecard.foundation import clock
from onecard.kernel.cards import queries as cards
from onecard.kernel.cards.rules import CardState, FunctionState
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.entitlements import queries as entitlements
from onecard.scenarios.terms import means_names
from onecard_kit.terms import Function, Item, Means

Words = dict[str, str]


@dataclass(frozen=True)
class ChoiceRow:
    """An item and the order in which the holder pays it; `other` is the way that would come first instead."""

    item: str
    name: Words
    order: list[str]
    other: Means
    other_first: str


def my_choices(holder_id: int) -> list[ChoiceRow]:
    """The items in force today that take more than one way to pay, as the holder pays them."""
    chosen = entitlements.means_of(holder_id)
    items = [item for item in catalogue.in_force(clock.today()) if len(item.means) > 1]
    return [_row(item, chosen.get(item.code, item.means)) for item in items]


def _row(item: Item, order: tuple[Means, ...]) -> ChoiceRow:
    words = means_names()
    return ChoiceRow(
        item=item.code,
        name={"zh": item.name.zh, "en": item.name.en},
        order=[words[means] for means in order],
        other=order[1],
        other_first=_first()[order[1]],
    )


def _first() -> dict[Means, str]:
    return {Means.PURSE: _("改为先用钱包"), Means.BANK: _("改为先用银行账户")}


def pays_by_bank(holder_id: int) -> bool:
    """Whether one of the holder's cards is active with its financial function: without it only the purse pays."""
    return any(
        function.function == Function.FINANCIAL and function.state == FunctionState.ACTIVE
        for card in cards.of_holder(holder_id)
        if card.state == CardState.ACTIVE
        for function in card.functions.all()
    )
