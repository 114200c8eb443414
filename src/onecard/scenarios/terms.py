"""An item's terms in the words of the public list: the price and what lessens it, who may, how often, when and where.

A reader finds here whatever a decision goes by; a line without words is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onecard.foundation.money import yuan
from onecard.foundation.web.jinja import words as in_language
from onecard.kernel.cards.words import FUNCTIONS
from onecard.kernel.catalogue import queries, words
from onecard.kernel.catalogue.words import Words
from onecard_kit import terms
from onecard_kit.classes import BY_CODE
from onecard_kit.reasons import BEARERS, FUNDERS, concession_name

Line = tuple[str, list[str]]


def means_names() -> dict[terms.Means, str]:
    """What each way to pay is called."""
    return {terms.Means.PURSE: _("钱包"), terms.Means.BANK: _("银行账户")}


@dataclass(frozen=True)
class ConcessionRow:
    """Who pays less, how much, where and when, and who funds it."""

    name: Words
    price: str
    limits: list[str]
    funder: Words


def lines(item: terms.Item) -> list[Line]:
    """(what it is about, what holds), in the order in which a reader asks. Nothing for a matter that is refused."""
    if item.excluded is not None:
        return []
    regions = queries.area_set_names([item.region])
    found = (*_money(item), *_bounds(item), (_("谁的卡"), [_region(item.region, regions)]), *_places(item))
    return [(label, told) for label, told in found if told]


# --- Money ------------------------------------------------------------------------------------------------------------


def price_of(price: terms.Price | None) -> str:
    """The full price in short."""
    if price is None:
        return _("免费")
    if price.full_fen is not None:
        return _("全价 %(yuan)s 元") % {"yuan": yuan(price.full_fen)}
    if price.distance is not None:
        return _("按里程计价，最高 %(yuan)s 元") % {"yuan": yuan(price.most_fen)}
    if price.hourly is not None:
        told = {"yuan": yuan(price.hourly.fen), "most": yuan(price.hourly.max_fen)}
        return _("每小时 %(yuan)s 元，最高 %(most)s 元") % told
    return _("金额当场确定")


def _money(item: terms.Item) -> Iterator[Line]:
    yield _("费用"), [price_of(item.price), *_price_details(item.price)]
    if item.transfer is not None:
        yield _("换乘优惠"), [_transfer(item.transfer)]
    if item.day_cap_fen is not None:
        told = _("每人每天最多实付 %(yuan)s 元，超出的由运营单位承担")
        yield _("当日封顶"), [told % {"yuan": yuan(item.day_cap_fen)}]
    if item.price is not None and item.price.payer == "holder.purse":
        names = means_names()
        yield _("付款方式"), [_("、").join(names[each] for each in item.means)]
    if item.price is not None or item.limit is not None:
        days = item.refund.within_days
        yield _("退回"), [_("%(days)s 天内可以退回") % {"days": days} if days else _("当天可以退回")]


def _price_details(price: terms.Price | None) -> Iterator[str]:
    """What the price in short leaves out."""
    if price is None:
        return
    if price.open_fen is not None:
        least, most = (yuan(fen) for fen in price.open_fen)
        yield _("每笔 %(least)s 至 %(most)s 元") % {"least": least, "most": most}
    if price.distance is not None:
        for metres, fen in price.distance.steps:
            yield _("%(km)s 公里以内 %(yuan)s 元") % {"km": f"{metres / 1000:g}", "yuan": yuan(fen)}
    if price.hourly is not None:
        yield _("不足一小时按一小时计")
        if price.hourly.free_minutes:
            yield _("前 %(minutes)s 分钟免费") % {"minutes": price.hourly.free_minutes}


def _transfer(transfer: terms.Transfer) -> str:
    names = queries.names_of(transfer.after)
    told = {
        "after": _("、").join(in_language(names.get(code, {"zh": code, "en": code})) for code in transfer.after),
        "minutes": transfer.within_minutes,
        "yuan": yuan(transfer.off_fen),
    }
    return _("%(after)s之后 %(minutes)s 分钟内换乘，减 %(yuan)s 元，由运营单位承担") % told


# --- What bounds a use ------------------------------------------------------------------------------------------------


def _bounds(item: terms.Item) -> Iterator[Line]:
    if item.journey is not None:
        told = _("进、出各刷一次；%(hours)s 小时内没有刷出的自动结束，按最高费用收取")
        yield _("进出"), [told % {"hours": item.journey.ends_after_hours}]
    if item.pass_ is not None:
        yield _("套票"), list(_pass(item.pass_))
    yield _("限定人群"), [in_language({"zh": BY_CODE[code].zh, "en": BY_CODE[code].en}) for code in item.classes]
    yield _("需要的功能"), [in_language(FUNCTIONS[item.function])] if item.function else []
    yield _("办理时间"), when_in_words(item.when)
    yield _("每人次数"), [_quota(item.limit)] if item.limit else []


def _pass(sold: terms.PassTerms) -> Iterator[str]:
    yield _("第一次使用时启用；%(days)s 天内没有使用的自动启用") % {"days": sold.activate_within_days}
    yield _("启用后 %(days)s 天内有效") % {"days": sold.lasts_days}
    if sold.uses is not None:
        yield _("共 %(count)s 次") % {"count": sold.uses}


def _places(item: terms.Item) -> Iterator[Line]:
    """What is asked of a point, and what becomes of a use there without a line."""
    if item.capacity is not None:
        told = _("每个用卡点%(quota)s；用卡点可以另定")
        yield _("接待容量"), [told % {"quota": _quota(item.capacity)}]
    if item.needs is not None:
        yield _("对用卡点的要求"), list(_needs(item.needs))
    if item.offline is not None:
        yield _("没有网络时"), [_offline(item.offline)]


def _needs(needs: terms.Needs) -> Iterator[str]:
    if needs.attended:
        yield _("有人值守")
    if needs.media:
        yield _("能读取：%(media)s") % {"media": _("、").join(in_language(words.MEDIA[each]) for each in needs.media)}
    for told in when_in_words(needs.when):
        yield _("开放时间包括 %(hours)s") % {"hours": told}


def _offline(offline: terms.Offline) -> str:
    zh, en = BEARERS[offline.shortfall]
    told = {
        "yuan": yuan(offline.limit_fen),
        "days": offline.days,
        "bearer": in_language({"zh": zh, "en": en}),
    }
    return _("%(days)s 天以内仍可使用，每笔最多 %(yuan)s 元，扣款不足由%(bearer)s承担") % told


def _region(region: str, names: Mapping[str, Words]) -> str:
    """Whose cards it is for, by the place that issued them."""
    if region == terms.LOCAL:
        return _("本市发的卡")
    if region == terms.ALL:
        return _("各地发的卡")
    return _("%(places)s发的卡") % {"places": in_language(names.get(region, {"zh": region, "en": region}))}


def _quota(quota: terms.Quota) -> str:
    told = {
        terms.Period.DAY: _("每天 %(count)s 次"),
        terms.Period.MONTH: _("每月 %(count)s 次"),
        terms.Period.YEAR: _("每年 %(count)s 次"),
    }
    return told[quota.period] % {"count": quota.count}


def when_in_words(when: terms.When | None) -> list[str]:
    """Kinds of day and windows of the day in words; [] is always."""
    if when is None:
        return []
    days = [in_language(words.DAYS[kind]) for kind in when.days] if len(when.days) < len(terms.DayKind) else []
    return [" ".join([*days, *(f"{start}–{end}" for start, end in when.hours)])]


# --- Concessions ------------------------------------------------------------------------------------------------------


def concessions(item: terms.Item) -> list[ConcessionRow]:
    """Who pays less, in the order of the file."""
    regions = queries.area_set_names([each.region for each in item.concession])
    return [_concession(each, regions) for each in item.concession]


def _concession(each: terms.Concession, regions: Mapping[str, Words]) -> ConcessionRow:
    name_zh, name_en = concession_name(each)
    funder_zh, funder_en = FUNDERS[each.funded_by]
    limits = [_region(each.region, regions), *when_in_words(each.when), *([_quota(each.quota)] if each.quota else [])]
    return ConcessionRow(
        {"zh": name_zh, "en": name_en}, discount_of(each.price), limits, {"zh": funder_zh, "en": funder_en}
    )


def discount_of(discount: terms.Discount) -> str:
    """What a concession leaves to pay."""
    if discount.percent == 0 and discount.off_fen_max is None:
        return _("免费")
    if discount.percent is not None and discount.off_fen_max is not None:
        told = {"percent": discount.percent, "yuan": yuan(discount.off_fen_max)}
        return _("全价的 %(percent)s%%，最多优惠 %(yuan)s 元") % told
    if discount.percent is not None:
        return _("全价的 %(percent)s%%") % {"percent": discount.percent}
    if discount.fixed_fen is not None:
        return _("%(yuan)s 元") % {"yuan": yuan(discount.fixed_fen)}
    return _("最多 %(yuan)s 元") % {"yuan": yuan(discount.cap_fen or 0)}
