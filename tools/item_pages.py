"""The pages of docs/items/: one an item, in both languages, from its file. Written by ``python tools/docs.py``."""

from collections.abc import Iterator
from pathlib import Path

from onecard.scenarios import FOLDER
from onecard_kit import item_files
from onecard_kit.offline import unchecked
from onecard_kit.reasons import FUNDERS, concession_name
from onecard_kit.terms import Bilingual, Concession, Discount, Item, Manner, Medium, Price, Quota, When

HEAD = "<!-- Generated from the item's file by tools/docs.py; edit that file instead. -->\n\n"
PERIODS = {"day": ("每日", "a day"), "month": ("每月", "a month"), "year": ("每年", "a year")}
DAYS = {"working": ("工作日", "working days"), "weekend": ("周末", "weekends"), "holiday": ("节假日", "holidays")}
MEDIA = {"code": ("二维码", "code"), "card": ("实体卡", "card"), "number": ("数字码", "number read aloud")}


def pages() -> dict[str, str]:
    """File name → text, for every item and the list of them all."""
    declared = items()
    made = {f"{item.code}.md": HEAD + _page(item) for item in declared}
    return {"README.md": HEAD + _index(declared), **made}


def items() -> list[Item]:
    """Every declared item."""
    return [item_files.load(path) for path in sorted(FOLDER.glob("*/items/*.toml"))]


def _index(items: list[Item]) -> str:
    lines = [
        f"| [`{i.code}`]({i.code}.md) | {i.name.zh} | {i.name.en} | {_price_of(i)[0]} | {_price_of(i)[1]} |"
        for i in items
    ]
    head = "| item | 应用项目 | English | 价格 | price |\n| --- | --- | --- | --- | --- |\n"
    return f"# 应用项目 / Service items\n\n{head}" + "\n".join(lines) + "\n"


def _page(item: Item) -> str:
    rows = "".join(f"| {zh} / {en} | {value} |\n" for (zh, en), value in _rows(item) if value)
    parts = [f"# {item.name.zh} / {item.name.en}\n\n`{item.code}`, version {item.version}\n\n"]
    parts.append(f"| | |\n| --- | --- |\n{rows}")
    for zh, en, listed in (
        ("办理条件", "Conditions", item.conditions),
        ("办理步骤", "Steps", item.steps),
        ("配合单位", "Supporting units", item.supporting_units),
    ):
        if listed:
            parts.append(f"\n## {zh} / {en}\n\n" + "".join(f"- {_both(words)}\n" for words in listed))
    if item.concession:
        parts.append(_concessions(item))
    return "".join(parts)


def _rows(item: Item) -> Iterator[tuple[tuple[str, str], str]]:
    """What a reader asks first; an empty value is left out."""
    price_zh, price_en = _price_of(item)
    yield ("价格", "Price"), f"{price_zh} / {price_en}" if item.price else ""
    yield ("清单", "List"), f"`{item.level}` {item.area}, {item.kind}"
    yield ("试点地区", "Live only in"), ", ".join(item.pilot_areas)
    yield ("法规依据", "Legal basis"), ", ".join(f"`{code}`" for code in item.legal_basis)
    yield ("牵头单位", "Lead unit"), _both(item.lead_unit)
    yield ("服务对象", "For whom"), _both(item.audience)
    yield ("人生事件", "Life events"), ", ".join(item.life_events)
    yield ("渠道", "Channels"), ", ".join(item.channels)
    yield ("出示方式", "Shown by"), " / ".join("、".join(MEDIA[m][n] for m in item.media) for n in (0, 1))
    if Medium.CODE in item.media:
        yield ("亲情码", "Relative's phone"), f"`{item.family}`" if item.family is not Manner.TAKE else ""
        yield ("纸质码", "Paper code"), f"`{item.paper}`" if item.price is None else ""
    yield ("卡片功能", "Card function"), f"`{item.function}`" if item.function else ""
    yield ("地区", "Region"), f"`{item.region}`" if item.region != "all" else ""
    yield ("人群类别", "Classes"), ", ".join(f"`{code}`" for code in item.classes)
    yield ("法定限制", "Excluded"), f"{item.excluded.zh} / {item.excluded.en}" if item.excluded else ""
    yield ("开放时间", "Open"), _when(item.when)
    yield ("次数", "Limit"), _quota(item.limit)
    yield ("接待容量", "Capacity of a point"), _quota(item.capacity)
    yield ("行程", "Journey"), _journey(item)
    yield ("支付方式", "Ways to pay"), ", ".join(item.means) if item.price else ""
    yield ("退回期限", "Given back within"), f"{item.refund.within_days} 天 / days"
    yield ("离线", "Offline"), _offline(item)
    yield ("离线不能核对", "Not checked offline"), "; ".join(f"{each.zh} / {each.en}" for each in unchecked(item))
    yield ("要带什么", "What to bring"), "; ".join(map(_both, item.materials))
    yield ("办理时限", "Time limit"), _both(item.time_limit)
    yield ("指南", "Guide"), _both(item.guide)
    yield ("列入", "Put on the list"), f"{_both(item.decided.by)}, {item.decided.on}" if item.decided else ""


def _both(words: Bilingual | None) -> str:
    return f"{words.zh} / {words.en}" if words else ""


def _yuan(fen: int) -> str:
    return f"¥{fen // 100}.{fen % 100:02d}"


def _price_of(item: Item) -> tuple[str, str]:
    price: Price | None = item.price
    if price is None:
        return "不收费", "free"
    if price.full_fen is not None:
        return _yuan(price.full_fen), _yuan(price.full_fen)
    if price.open_fen is not None:
        between = f"{_yuan(price.open_fen[0])}–{_yuan(price.open_fen[1])}"
        return f"{between}，现场输入", f"{between}, named at the point"
    if price.distance is not None:
        between = f"{_yuan(price.distance.steps[0][1])}–{_yuan(price.distance.most_fen)}"
        return f"{between}，按里程", f"{between}, by distance"
    assert price.hourly is not None
    hour, most = _yuan(price.hourly.fen), _yuan(price.hourly.max_fen)
    return f"每小时{hour}，最多{most}", f"{hour} an hour, at most {most}"


def _quota(quota: Quota | None) -> str:
    if quota is None:
        return ""
    zh, en = PERIODS[quota.period]
    return f"{zh}{quota.count}次 / {quota.count} {en}"


def _when(when: When | None) -> str:
    if when is None:
        return ""
    hours = ", ".join(f"{start}–{end}" for start, end in when.hours)
    if len(when.days) == len(DAYS):
        return hours
    zh, en = ("、".join(DAYS[day][n] for day in when.days) for n in (0, 1))
    return f"{zh} / {en} {hours}".strip()


def _journey(item: Item) -> str:
    if item.journey is None:
        return ""
    hours = item.journey.ends_after_hours
    parts = [f"{hours} 小时后自动结束 / ends by itself after {hours} hours"]
    if item.transfer is not None:
        off, minutes = _yuan(item.transfer.off_fen), item.transfer.within_minutes
        parts.append(f"{minutes} 分钟内换乘减{off} / {off} less when changing within {minutes} minutes")
    if item.day_cap_fen is not None:
        parts.append(f"每日封顶{_yuan(item.day_cap_fen)} / at most {_yuan(item.day_cap_fen)} a day")
    return "; ".join(parts)


def _offline(item: Item) -> str:
    if item.offline is None:
        return ""
    limit, days = _yuan(item.offline.limit_fen), item.offline.days
    return f"每笔不超过{limit}，{days} 天 / up to {limit} a use, for {days} days; shortfall: {item.offline.shortfall}"


def _concessions(item: Item) -> str:
    head = (
        "\n## 减免优待 / Concessions\n\n| 谁 / who | 地区 / region | 时段 / when | 价格 / price | 次数 / quota | "
        "承担 / borne by |\n| --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(f"| {' | '.join(_concession(c))} |\n" for c in item.concession)


def _concession(concession: Concession) -> tuple[str, ...]:
    name, funder = concession_name(concession), FUNDERS[concession.funded_by]
    return (
        f"{name[0]} / {name[1]}",
        f"`{concession.region}`",
        _when(concession.when),
        _discount(concession.price),
        _quota(concession.quota),
        f"{funder[0]} / {funder[1]}",
    )


def _discount(discount: Discount) -> str:
    if discount.percent is None:
        fen = discount.fixed_fen if discount.fixed_fen is not None else discount.cap_fen
        assert fen is not None
        return _yuan(fen) if discount.cap_fen is None else f"≤ {_yuan(fen)}"
    most = f", ≤ {_yuan(discount.off_fen_max)} off" if discount.off_fen_max is not None else ""
    return f"{discount.percent} %{most}"


def write(folder: Path, *, check: bool) -> list[Path]:
    """Write the pages that differ and remove those of no item; which ones. With `check`, only say which."""
    wanted = pages()
    stale = [folder / name for name, text in wanted.items() if _text(folder / name) != text]
    left = [path for path in folder.glob("*.md") if path.name not in wanted]
    if not check:
        folder.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(wanted[path.name], encoding="utf-8")
        for path in left:
            path.unlink()
    return sorted(stale + left)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
