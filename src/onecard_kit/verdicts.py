"""Verdicts (判定): what a use came to. A refusal is a value with a stable name, a text in both languages and a next
step.

The order of the members is the order of precedence: the first refusal that applies is the one shown.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """ADMITTED, or the first reason why not; groups in the order a use is judged."""

    # by a gate without a line, for a reason of its own (`onecard_kit.offline`)
    REFUSED_AT_GATE = "REFUSED_AT_GATE"
    # terminal and the system it belongs to
    TERMINAL_SUSPENDED = "TERMINAL_SUSPENDED"
    CLIENT_SUSPENDED = "CLIENT_SUSPENDED"
    # item
    ITEM_UNKNOWN = "ITEM_UNKNOWN"
    ITEM_SUSPENDED = "ITEM_SUSPENDED"
    ITEM_NOT_IN_FORCE = "ITEM_NOT_IN_FORCE"
    # point
    POINT_SUSPENDED = "POINT_SUSPENDED"
    ITEM_NOT_OFFERED = "ITEM_NOT_OFFERED"
    POINT_CLOSED = "POINT_CLOSED"
    # medium, amount and leg
    MEDIUM_NOT_ACCEPTED = "MEDIUM_NOT_ACCEPTED"
    NOT_ATTENDED = "NOT_ATTENDED"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    LEG_INVALID = "LEG_INVALID"
    # signature
    CODE_MALFORMED = "CODE_MALFORMED"
    ISSUER_UNKNOWN = "ISSUER_UNKNOWN"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    CRYPTOGRAM_INVALID = "CRYPTOGRAM_INVALID"
    NUMBER_MALFORMED = "NUMBER_MALFORMED"
    NUMBER_LIMITED = "NUMBER_LIMITED"
    NUMBER_UNKNOWN = "NUMBER_UNKNOWN"
    # window
    CODE_NOT_YET_VALID = "CODE_NOT_YET_VALID"
    CODE_EXPIRED = "CODE_EXPIRED"
    CODE_REVOKED = "CODE_REVOKED"
    NUMBER_EXPIRED = "NUMBER_EXPIRED"
    # replay
    REPLAYED = "REPLAYED"
    # card and function
    CARD_UNKNOWN = "CARD_UNKNOWN"
    CARD_INACTIVE = "CARD_INACTIVE"
    CARD_LOST = "CARD_LOST"
    CARD_LOCKED = "CARD_LOCKED"
    CARD_CANCELLED = "CARD_CANCELLED"
    FUNCTION_INACTIVE = "FUNCTION_INACTIVE"
    # law, entitlement, journey, quota, capacity, funds
    LEGALLY_EXCLUDED = "LEGALLY_EXCLUDED"
    NOT_ENTITLED = "NOT_ENTITLED"
    NO_JOURNEY = "NO_JOURNEY"
    NO_FARE = "NO_FARE"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    CAPACITY_FULL = "CAPACITY_FULL"
    BANK_REFUSED = "BANK_REFUSED"
    BANK_SILENT = "BANK_SILENT"
    PURSE_MISSING = "PURSE_MISSING"
    FUNDS_SHORT = "FUNDS_SHORT"
    PURSE_FULL = "PURSE_FULL"

    ADMITTED = "ADMITTED"


@dataclass(frozen=True, slots=True)
class Words:
    """What a verdict says to the person at the gate, and what they or the staff can do next."""

    zh: str
    en: str
    next_zh: str = ""
    next_en: str = ""


_STAFF = ("请联系现场工作人员。", "Please ask the staff here.")
_ANOTHER_CODE = ("请刷新二维码后再试。", "Refresh the code and show it again.")
_ANOTHER_NUMBER = (
    "请持卡人取新的数字码，或出示二维码、实体卡。",
    "Have the holder take a new number, or show code or card.",
)
_OUTLET = ("请到社保卡服务网点办理，或拨打12333。", "Go to a card outlet, or call 12333.")

WORDS: dict[Verdict, Words] = {
    Verdict.REFUSED_AT_GATE: Words(
        "闸机离线，未予办理", "A gate without a connection let nobody pass on this", *_STAFF
    ),
    Verdict.TERMINAL_SUSPENDED: Words("本终端已停用", "This terminal is suspended", *_STAFF),
    Verdict.CLIENT_SUSPENDED: Words("接入系统已停用", "The connected system is suspended", *_STAFF),
    Verdict.ITEM_UNKNOWN: Words("没有这个应用项目", "There is no such service item", *_STAFF),
    Verdict.ITEM_SUSPENDED: Words("该应用项目已暂停", "This service item is suspended", *_STAFF),
    Verdict.ITEM_NOT_IN_FORCE: Words("该应用项目目前不在有效期内", "This service item is not in force today", *_STAFF),
    Verdict.POINT_SUSPENDED: Words("本用卡点已停用", "This point is suspended", *_STAFF),
    Verdict.ITEM_NOT_OFFERED: Words("本用卡点不提供该应用项目", "This point does not offer this item", *_STAFF),
    Verdict.POINT_CLOSED: Words(
        "现在不是开放时间", "This is outside the opening hours", "请在开放时间再来。", "Come back in the opening hours."
    ),
    Verdict.MEDIUM_NOT_ACCEPTED: Words(
        "该应用项目不接受这种出示方式",
        "This item does not take this medium",
        "请改用实体卡或二维码。",
        "Use the card or the code instead.",
    ),
    Verdict.NOT_ATTENDED: Words(
        "这种出示方式须有工作人员在场",
        "This is taken only at a terminal with staff",
        "请用本人手机出示二维码或刷实体卡，或到人工窗口。",
        "Show the code on your own phone or the card, or go to a counter with staff.",
    ),
    Verdict.AMOUNT_INVALID: Words("金额不符合该应用项目的规定", "The amount does not fit this item", *_STAFF),
    Verdict.LEG_INVALID: Words("进出方向与该应用项目不符", "The way in or out does not fit this item", *_STAFF),
    Verdict.CODE_MALFORMED: Words(
        "无法识别的二维码", "This is not a code of ours", "请打开电子社保卡二维码。", "Open the e-card code."
    ),
    Verdict.ISSUER_UNKNOWN: Words(
        "发卡地尚未互认",
        "The issuing place is not recognised here",
        "请出示实体卡或到服务窗口。",
        "Show the card itself or go to the counter.",
    ),
    Verdict.KEY_UNKNOWN: Words("二维码的签发密钥无效", "The code's signing key is not valid", *_ANOTHER_CODE),
    Verdict.SIGNATURE_INVALID: Words("二维码验签未通过", "The code's signature is not valid", *_ANOTHER_CODE),
    Verdict.CRYPTOGRAM_INVALID: Words(
        "卡片验证未通过",
        "The card could not prove itself",
        "请重新刷卡；仍不成功请到服务网点检测。",
        "Tap again; if it still fails, have the card checked at an outlet.",
    ),
    Verdict.NUMBER_MALFORMED: Words(
        "数字码有误",
        "This is not a number of ours",
        "请逐位核对12位数字后重新输入。",
        "Compare the twelve digits one by one and enter them again.",
    ),
    Verdict.NUMBER_LIMITED: Words(
        "数字码输错次数过多，暂停受理",
        "Too many wrong numbers; none is taken for now",
        "请出示二维码或实体卡，十五分钟后可再用数字码。",
        "Show the code or the card; numbers are taken again in fifteen minutes.",
    ),
    Verdict.NUMBER_UNKNOWN: Words(
        "没有这个数字码，或已被新的取代", "There is no such number, or a newer one", *_ANOTHER_NUMBER
    ),
    Verdict.CODE_NOT_YET_VALID: Words(
        "二维码还未生效", "The code is not valid yet", "请核对手机时间后刷新。", "Check the phone's clock and refresh."
    ),
    Verdict.CODE_EXPIRED: Words("二维码已过期", "The code has expired", *_ANOTHER_CODE),
    Verdict.CODE_REVOKED: Words("该纸质码已作废", "This paper code was revoked", *_OUTLET),
    Verdict.NUMBER_EXPIRED: Words("数字码已过期", "The number has expired", *_ANOTHER_NUMBER),
    Verdict.REPLAYED: Words("已经使用过", "Already used", *_ANOTHER_CODE),
    Verdict.CARD_UNKNOWN: Words("没有这张卡", "There is no such card", *_OUTLET),
    Verdict.CARD_INACTIVE: Words("社保卡尚未启用", "The card is not activated", *_OUTLET),
    Verdict.CARD_LOST: Words(
        "社保卡已挂失",
        "The card is reported lost",
        "本人找回卡片后可在线上或网点解挂。",
        "The holder can lift the report online or at an outlet.",
    ),
    Verdict.CARD_LOCKED: Words("社保卡已锁定", "The card is locked", *_OUTLET),
    Verdict.CARD_CANCELLED: Words("社保卡已注销", "The card is cancelled", *_OUTLET),
    Verdict.FUNCTION_INACTIVE: Words(
        "该卡的相应功能未开通",
        "The card's function for this is not active",
        "请到服务网点开通。",
        "Have it activated at an outlet.",
    ),
    Verdict.NOT_ENTITLED: Words("不在该应用项目的服务对象范围内", "This item is not for this holder", *_STAFF),
    Verdict.LEGALLY_EXCLUDED: Words(
        "依法须使用居民身份证办理",
        "The law requires the resident identity card for this",
        "请携带居民身份证办理。",
        "Bring the resident identity card.",
    ),
    Verdict.NO_JOURNEY: Words(
        "没有进站（入场）记录",
        "There is no journey to end",
        "请联系现场工作人员补登。",
        "Ask the staff here to enter where you came in.",
    ),
    Verdict.NO_FARE: Words("没有这段行程的票价", "There is no fare for this journey", *_STAFF),
    Verdict.QUOTA_EXHAUSTED: Words(
        "本期次数已用完", "The quota of this period is used up", "请在下一期再用。", "Use it again in the next period."
    ),
    Verdict.CAPACITY_FULL: Words("本期接待已满", "This point is full for now", "请另选时间。", "Choose another time."),
    Verdict.BANK_REFUSED: Words(
        "银行未批准付款",
        "The bank did not approve the payment",
        "请改用钱包，或咨询发卡银行。",
        "Pay from the purse, or ask your bank.",
    ),
    Verdict.BANK_SILENT: Words(
        "银行没有答复，未扣款",
        "The bank did not answer; nothing is charged",
        "请稍后再试，或改用钱包。",
        "Try again later, or pay from the purse.",
    ),
    Verdict.PURSE_MISSING: Words("尚未开通钱包", "There is no purse yet", *_OUTLET),
    Verdict.FUNDS_SHORT: Words(
        "钱包余额不足", "The purse balance is too low", "请充值后再用。", "Top up and try again."
    ),
    Verdict.PURSE_FULL: Words(
        "充值后将超过钱包余额上限",
        "This would exceed the purse ceiling",
        "请减少充值金额。",
        "Top up a smaller amount.",
    ),
    Verdict.ADMITTED: Words("通过", "Admitted"),
}
