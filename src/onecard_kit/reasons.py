"""Reasons (理由) in words: what a use keeps, and what a decision looked at, said in both languages.

The first answer, a repeated one, the console's "why?" and the portal's "what do I get?" say the same because they all
come from here.
"""

from typing import Protocol

from onecard_kit.classes import BY_CODE
from onecard_kit.decide import Fit, Step
from onecard_kit.offline import OFFLINE_WORDS
from onecard_kit.terms import BORNE_BY_HOLDER, BORNE_BY_OPERATOR, BORNE_BY_PLATFORM, EVERYONE, Concession, Item
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]

FUNDERS = {
    "treasury.city": ("市财政", "the city treasury"),
    "bank.offer": ("合作银行", "the partner bank"),
    "employer.share": ("用人单位", "the employer"),
    "merchant.offer": ("商户", "the merchant"),
    BORNE_BY_OPERATOR: ("运营单位", "the operator"),
}
BEARERS = FUNDERS | {
    BORNE_BY_HOLDER: ("持卡人（记为欠款）", "the holder, as a debt"),
    BORNE_BY_PLATFORM: ("平台", "the platform"),
}


def reasons(
    verdict: Verdict, item: Item | None, full_fen: int, paid_fen: int, waived_fen: int, concession_key: str | None,
    held_fen: int | None = None,
) -> list[Words]:  # fmt: skip
    """Why, in words, from what a use keeps. `held_fen` is what the beginning of a journey holds; else None."""
    words = WORDS[verdict]
    told = [{"code": verdict.value, "zh": words.zh, "en": words.en}]
    if verdict is Verdict.LEGALLY_EXCLUDED and item is not None and item.excluded is not None:
        excluded = item.excluded
        return [*told, {"code": f"BASIS:{excluded.basis}", "zh": excluded.zh, "en": excluded.en}]
    if verdict is not Verdict.ADMITTED or item is None or item.price is None:
        return told
    concession = item.by_key.get(concession_key) if concession_key else None
    if held_fen is not None:
        told.append(_held(concession, held_fen))
    elif concession is None:
        told.append({"code": "FULL_PRICE", "zh": f"全价{_yuan(full_fen)}元", "en": f"Full price ¥{_yuan(full_fen)}"})
    else:
        words_of = _concession(concession, full_fen, paid_fen + waived_fen)
        told.append({"code": f"CONCESSION:{concession.key}", **words_of})
    if waived_fen:
        off, paid = _yuan(waived_fen), _yuan(paid_fen)
        told.append({
            "code": "WAIVED",
            "zh": f"换乘优惠、当日封顶或离线放行再减{off}元，实付{paid}元，由运营单位承担",
            "en": f"Changing, the day's cap or an offline gate takes off ¥{off}, borne by the operator; "
            f"you pay ¥{paid}",
        })  # fmt: skip
    return told


LOOK = {
    "code": "LOOK_AT_PHOTO",
    "zh": "请工作人员核对持卡人与照片",
    "en": "Staff: compare the holder with their photo",
}
"""Told beside an admission that asks for a look at the photo (`terms.Manner.LOOK`)."""


def _held(concession: Concession | None, held_fen: int) -> Words:
    """At the beginning of a journey its price is not known yet: what it can cost at most, and on which terms."""
    name_zh, name_en = concession_name(concession) if concession else ("全价", "Full price")
    most = _yuan(held_fen)
    return {
        "code": f"CONCESSION:{concession.key}" if concession else "FULL_PRICE",
        "zh": f"{name_zh}：出站（离场）时结算，最多{most}元，已冻结",
        "en": f"{name_en}: settled on the way out; ¥{most} at most, which is held",
    }


def _concession(concession: Concession, full_fen: int, left_fen: int) -> Words:
    who_zh, who_en = FUNDERS.get(concession.funded_by, (concession.funded_by, concession.funded_by))
    name_zh, name_en = concession_name(concession)
    full, left, rest = _yuan(full_fen), _yuan(left_fen), _yuan(full_fen - left_fen)
    return {
        "zh": f"{name_zh}：原价{full}元，实付{left}元，{rest}元由{who_zh}承担",
        "en": f"{name_en}: full price ¥{full}, you pay ¥{left}, {who_en} bears ¥{rest}",
    }


def concession_name(concession: Concession) -> tuple[str, str]:
    """What a concession is called: its note, else its class or pass, in Chinese and English."""
    if concession.note is not None:
        return concession.note.zh, concession.note.en
    if concession.class_ is None:
        return f"持有{concession.pass_}", f"Holder of {concession.pass_}"
    return class_name(concession.class_)


def class_name(code: str) -> tuple[str, str]:
    """A class's name in Chinese and English."""
    return ("所有持卡人", "Every holder") if code == EVERYONE else (BY_CODE[code].zh, BY_CODE[code].en)


class _AtGate(Protocol):
    """What a gate had decided, and what came of that."""

    @property
    def verdict(self) -> str: ...
    @property
    def ours(self) -> Verdict: ...
    @property
    def manual(self) -> bool: ...
    @property
    def double(self) -> bool: ...
    @property
    def paid_fen(self) -> int: ...
    @property
    def shortfall_fen(self) -> int: ...
    @property
    def borne_by(self) -> str | None: ...
    @property
    def given_back(self) -> bool: ...
    @property
    def admitted(self) -> bool: ...


def at_gate(told: _AtGate) -> Words:
    """What a gate without a line decided, what the platform would have, and who paid."""
    gate_zh, gate_en = _verdict_words(told.verdict)
    ours = WORDS[told.ours]
    zh, en = f"闸机离线判定：{gate_zh}", f"The gate decided without a connection: {gate_en}"
    if told.manual:
        zh, en = f"{zh}，由工作人员放行", f"{en}, and staff let the holder pass"
    zh, en = f"{zh}；平台判定：{ours.zh}", f"{en}; the platform: {ours.en}"
    if told.double:
        zh, en = f"{zh}（此前已使用过）", f"{en} (it was used before)"
    if told.admitted:
        zh, en = (
            f"{zh}。放行成立，实付{_yuan(told.paid_fen)}元",
            f"{en}. The admission stands; ¥{_yuan(told.paid_fen)} was paid",
        )
    if told.given_back:
        zh, en = (
            f"{zh}。平台答复未到闸机，持卡人未能通过，已全额退回",
            f"{en}. The platform's answer never reached the gate, which turned the holder away: all was given back",
        )
    if told.shortfall_fen and told.borne_by is not None:
        who_zh, who_en = BEARERS[told.borne_by]
        lacks = _yuan(told.shortfall_fen)
        zh, en = f"{zh}，不足{lacks}元由{who_zh}承担", f"{en}, {who_en} bears ¥{lacks}"
    return {"zh": f"{zh}。", "en": f"{en}."}


def _verdict_words(verdict: str) -> tuple[str, str]:
    """A gate's verdict in words; one of a newer gate stays as it is."""
    known = {each.value: words for each, words in (*WORDS.items(), *OFFLINE_WORDS.items())}
    return (known[verdict].zh, known[verdict].en) if verdict in known else (verdict, verdict)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


# --- what was looked at -------------------------------------------------------------------------------------------

_CHECKS = {
    "terminal": ("终端与接入系统", "Terminal and its system"),
    "item": ("应用项目", "Service item"),
    "point": ("用卡点与开放时间", "Point and opening hours"),
    "medium": ("出示方式与金额", "Medium and amount"),
    "genuine": ("真伪与时效", "Genuine and in time"),
    "fresh": ("是否重复使用", "Not used before"),
    "card": ("卡片状态", "State of the card"),
    "function": ("卡片功能", "Function of the card"),
    "law": ("法定限制", "What the law excludes"),
    "entitled": ("服务对象", "Who the item is for"),
    "journey": ("行程", "Journey"),
    "quota": ("次数限制", "Quota"),
    "capacity": ("接待容量", "Capacity"),
    "transfer": ("换乘优惠", "Discount for changing"),
    "day_cap": ("当日封顶", "Day's cap"),
    "funds": ("支付", "Payment"),
}
_CAME_TO = {
    "passed": ("通过", "passed"),
    "held": ("已冻结最高票价", "the most it can cost is held"),
    "applied": ("已适用", "applied"),
    "not_applied": ("不适用", "not applied"),
    "paid:purse": ("由钱包支付", "paid from the purse"),
    "paid:bank": ("由银行账户支付", "paid from the bank account"),
    "asks:bank": ("须先由银行批准", "the bank is asked first"),
    Fit.NOT_HELD: ("不具备该资格", "the holder has not this class or pass"),
    Fit.OTHER_REGION: ("不是适用地区发的卡", "the card was issued elsewhere"),
    Fit.NOT_NOW: ("不在适用时段", "not on these days or hours"),
    Fit.USED_UP: ("本期次数已用完", "its quota is used up"),
    Fit.NO_GAIN: ("不比全价便宜", "leaves as much to pay as the full price"),
    Fit.BEATEN: ("另有更优惠的规则", "another rule leaves less to pay"),
    Fit.BEST: ("最优惠，已适用", "best, so it is applied"),
    Fit.SINCE_START: ("自行程开始时适用", "in force since the journey began"),
    Fit.AT_START: ("已在行程开始时判定", "it was judged when the journey began"),
    Fit.APPLIES: ("适用，金额未留存", "it applies; the amount was not kept"),
}


def explain(trace: list[Step], item: Item | None) -> list[Words]:
    """Every rule that was looked at, and what it came to, in the order of the decision."""
    return [_step(step, item) for step in trace]


def _step(step: Step, item: Item | None) -> Words:
    concession = item.by_key.get(step.rule.partition("/")[2]) if item is not None else None
    if concession is not None:
        name_zh, name_en = concession_name(concession)
        who_zh, who_en = FUNDERS[concession.funded_by]
        name_zh, name_en = f"{name_zh}（{who_zh}承担）", f"{name_en} (borne by {who_en})"
    else:
        name_zh, name_en = _CHECKS[step.rule]
    if step.outcome in WORDS:
        words = WORDS[Verdict(step.outcome)]
        came_zh, came_en = words.zh, words.en
    else:
        came_zh, came_en = _CAME_TO[step.outcome]
    if step.left_fen is not None:
        is_passed_over = concession is not None and step.outcome not in (Fit.BEST, Fit.SINCE_START)
        leaves_zh, leaves_en = ("若适用，应付", "it would leave ") if is_passed_over else ("应付", "")
        left = _yuan(step.left_fen)
        came_zh, came_en = f"{came_zh}（{leaves_zh}{left}元）", f"{came_en} ({leaves_en}¥{left} to pay)"
    zh, en = f"{name_zh}：{came_zh}", f"{name_en}: {came_en}"
    return {"rule": step.rule, "outcome": str(step.outcome), "zh": zh, "en": en}
