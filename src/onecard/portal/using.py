"""View values of my uses: a page of them, and one with the reason of its price and who paid the rest."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from onecard.foundation.money import yuan
from onecard.foundation.web.jinja import words as in_language
from onecard.foundation.web.links import query_of
from onecard.kernel.cards import queries as cards
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.catalogue.models import ItemVersion
from onecard.kernel.catalogue.words import FIELDS, MEDIA
from onecard.kernel.uses import mine, refunds
from onecard.kernel.uses.mine import Mine
from onecard.kernel.uses.refunds import use_unknown
from onecard.portal import services
from onecard_kit.reasons import FUNDERS, concession_name, reasons
from onecard_kit.terms import BORNE_BY_OPERATOR, Item, Leg, Medium
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]
GIVEN_BACK: dict[str, Words] = {
    refunds.ASKED: {"zh": "已全额退回", "en": "Given back in full"},
    refunds.TURNED_AWAY: {
        "zh": "闸机未收到答复、未放行，已全额退回",
        "en": "The gate turned you away; given back in full",
    },
}
STANDS_CHARGED: Words = {
    "zh": "出站记录迟到，行程已按最高票价计费；钱包已满，多收的票款未能退回，请联系运营单位",
    "en": "Told late: the journey was charged the most it can cost, and your purse is too full to give the rest back."
    " Ask the operator",
}
LEGS: dict[str, Words] = {
    Leg.IN: {"zh": "进站（入场）", "en": "In"},
    Leg.OUT: {"zh": "出站（离场）", "en": "Out"},
}


@dataclass(frozen=True)
class Chosen:
    """What a holder looks for: a field and an outcome ('' is all), and the last use of the page before."""

    field: str
    outcome: str
    before: UUID | None

    def query(self, **changes: str) -> str:
        """The address of the same list with something changed; empty values are left out."""
        values = {"field": self.field, "outcome": self.outcome, **changes}
        return query_of(values)


@dataclass(frozen=True)
class Row:
    """A use in the list. `why` says why the price is less, or what to do after a refusal; '' where there is nothing."""

    id: UUID
    title: Words
    point: Words
    at: dt.datetime
    icon: str
    price: str
    full: str
    result: Words
    why: Words
    tone: str


@dataclass(frozen=True)
class Uses:
    """One page of my uses."""

    chosen: Chosen
    fields: list[tuple[str, Words]]
    rows: list[Row]
    next: UUID | None


@dataclass(frozen=True)
class One:
    """One use: what happened, what it cost and who paid, and why, in words."""

    row: Row
    admitted: bool
    happened: list[tuple[str, Words | str]]
    paid: list[tuple[str, str]]
    reasons: list[Words]
    item: str


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    field, outcome = asked.get("field", ""), asked.get("outcome", "")
    return Chosen(
        field if field in FIELDS else "", outcome if outcome in mine.OUTCOMES else "", _id(asked.get("before", ""))
    )


def uses(holder_id: int, asked: Chosen) -> Uses:
    """A page of a holder's uses. As many queries for a full page as for an empty one but one."""
    found = mine.page(_cards(holder_id), before=asked.before, field=asked.field, outcome=asked.outcome)
    items = _items(found.uses)
    return Uses(asked, list(FIELDS.items()), [_row(use, items.get(use.version)) for use in found.uses], found.next)


def one(holder_id: int, use_id: str) -> One:
    """One of a holder's own uses. Raises NotFound USE_UNKNOWN for any other, whether it exists or not."""
    wanted = _id(use_id)
    if wanted is None:
        raise use_unknown()
    use = mine.one(_cards(holder_id), wanted)
    item = _items([use]).get(use.version)
    told = reasons(use.verdict, item, use.full_fen, use.paid_fen, use.waived_fen, use.concession)
    admitted = use.verdict is Verdict.ADMITTED
    if not admitted:
        told = [*told, {"zh": WORDS[use.verdict].next_zh, "en": WORDS[use.verdict].next_en}]
    said = [{"zh": each["zh"], "en": each["en"]} for each in told if each["zh"]]
    return One(_row(use, item), admitted, _happened(use), _paid(use, item) if admitted else [], said, use.item)


def _cards(holder_id: int) -> list[int]:
    return [card.pk for card in cards.of_holder(holder_id)]


def _items(found: list[Mine]) -> dict[int | None, Item]:
    """The items of some uses, as the versions that decided declare them."""
    versions = ItemVersion.objects.in_bulk({use.version for use in found if use.version is not None})
    return {pk: catalogue.declared(version) for pk, version in versions.items()}


def _row(use: Mine, item: Item | None) -> Row:
    admitted = use.verdict is Verdict.ADMITTED
    told = WORDS[use.verdict]
    result = GIVEN_BACK[use.given_back] if use.given_back else {"zh": told.zh, "en": told.en}
    result = STANDS_CHARGED if use.stands_charged else result
    return Row(
        id=use.id,
        title={"zh": use.item_zh, "en": use.item_en},
        point={"zh": use.point_zh, "en": use.point_en},
        at=use.at,
        icon=services.icon(use.item.partition(".")[0]),
        price=money(use.paid_fen) if admitted else "",
        full=_("全价 %(yuan)s 元") % {"yuan": yuan(use.full_fen)} if admitted and use.paid_fen < use.full_fen else "",
        result=result,
        why=_less(use, item) if admitted else {"zh": told.next_zh, "en": told.next_en},
        tone="g" if admitted else "a",
    )


def _less(use: Mine, item: Item | None) -> Words:
    """Why it cost less and who paid the rest; nothing where it cost its full price."""
    concession = item.by_key.get(use.concession) if item is not None and use.concession else None
    if concession is None or not use.funded_fen:
        return {"zh": "", "en": ""}
    (zh, en), (funder_zh, funder_en) = concession_name(concession), FUNDERS[concession.funded_by]
    off = yuan(use.funded_fen)
    return {"zh": f"{zh}：{off} 元由{funder_zh}承担", "en": f"{en}: {off} yuan paid by {funder_en}"}


def _happened(use: Mine) -> list[tuple[str, Words | str]]:
    told: list[tuple[str, Words | str]] = [
        (_("地点"), {"zh": use.point_zh, "en": use.point_en}),
        (_("出示方式"), MEDIA[Medium(use.medium)]),
    ]
    if use.leg:
        told.append((_("进出"), LEGS[use.leg]))
    return [*told, (_("编号"), str(use.id))]


def _paid(use: Mine, item: Item | None) -> list[tuple[str, str]]:
    """The price, who bore what of it, and what was left to pay."""
    concession = item.by_key.get(use.concession) if item is not None and use.concession else None
    told = [(_("全价"), money(use.full_fen))]
    if use.funded_fen:
        zh, en = FUNDERS[concession.funded_by if concession else BORNE_BY_OPERATOR]
        told.append((_("%(who)s承担") % {"who": in_language({"zh": zh, "en": en})}, "−" + money(use.funded_fen)))
    if use.waived_fen:
        told.append((_("运营单位减免"), "−" + money(use.waived_fen)))
    return [*told, (_("您付"), money(use.paid_fen))]


def money(fen: int) -> str:
    """An amount in words of money."""
    return _("%(yuan)s 元") % {"yuan": yuan(fen)}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
