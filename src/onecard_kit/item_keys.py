"""The data dictionary of an item file: what each key of each table means, in both languages.

It lies beside the structs that decode a file (`terms`, `fares`); a test compares the two. Types, defaults and examples
are taken from the structs and from files, never told twice.
"""

from typing import NamedTuple

import msgspec

from onecard_kit import fares, terms


class Table(NamedTuple):
    """One kind of table: its name, the struct that decodes it, where it stands, what it is, and what its keys mean."""

    name: str
    kind: type[msgspec.Struct]
    stands_at: tuple[str, ...]
    zh: str
    en: str
    keys: dict[str, tuple[str, str]]


TABLES = (
    Table(
        "Item",
        terms.Item,
        ("$",),
        "一个应用项目的一个版本",
        "one version of a service item",
        {
            "code": (
                "代码：领域.名称，与文件位置一致",
                "its field and name, as the file lies: `<field>/items/<name>.toml`",
            ),
            "version": ("版本号，从1起", "number of the version, from 1"),
            "starts_on": ("生效日", "first day in force"),
            "ends_on": ("失效日（当日起失效）；不填为长期", "first day no more in force; none: open"),
            "name": ("名称", "what it is called"),
            "level": ("清单级别", "whose list it is on, from the region down to the county"),
            "area": (
                "适用区域：6位行政区划代码；区域级为区域集合代码",
                "where: a division of six digits (GB/T 2260) of that level; for `region` the code of an area set",
            ),
            "extends": ("所扩展的上级项目", "the item of a higher level that it extends"),
            "kind": ("基础或扩展应用", "basic, or what a place adds"),
            "pilot_areas": (
                "试点地区；不填为全区域",
                "divisions it is live in while it is tried; none: the whole area",
            ),
            "decided": ("列入清单的决定", "who put it on the list, and when"),
            "legal_basis": ("法规依据代码，至少一项", "codes of the register of legal bases, at least one"),
            "lead_unit": ("牵头单位", "the department in charge"),
            "supporting_units": ("配合单位", "departments that take part"),
            "audience": ("服务对象（说明文字）", "who it is for, in words; `region` and `classes` decide"),
            "life_events": (
                "人生事件：居民在哪些时候找它；不填为平时",
                "the turns of life at which people look for it; none: at any time",
            ),
            "channels": ("办理渠道", "where it is served"),
            "conditions": ("办理条件（说明文字）", "what must be so beforehand, in words"),
            "materials": ("除社保卡外须携带的材料", "what to bring besides the card"),
            "steps": ("办理步骤", "what a person does, in order"),
            "time_limit": ("办理时限", "how long it takes"),
            "guide": ("办事指南", "what else a person wants to know"),
            "media": (
                "出示方式；卡码同权，默认二维码和实体卡都可以；number为数字码，须有人值守且不收费",
                "how a card may be presented; code and card unless there is a reason; `number` is the one read aloud, "
                "to staff and for what costs nothing",
            ),
            "family": (
                "亲情码（亲属手机出示）：take接受，look须工作人员核对照片，refuse不接受",
                "a code on a relative's phone: `take` it, `look` at the photo (by staff), or `refuse` it",
            ),
            "paper": (
                "纸质码：look须工作人员核对照片，refuse不接受；收费项目一律不接受",
                "a paper code: `look` at the photo (by staff), or `refuse` it; never taken where there is a price",
            ),
            "function": ("所需的卡片功能；不填为不需要", "the card's function that must be active; none: any card"),
            "region": (
                "发卡地范围：local本市，all不限，或区域集合",
                "whose cards: `local` the city's own, `all`, or an area set's",
            ),
            "classes": ("限定人群类别，任一即可；不填为所有人", "who holds one of these classes; none: everyone"),
            "excluded": (
                "法定须用居民身份证的事项：一律拒绝",
                "the law wants the resident identity card: always refused",
            ),
            "when": ("开放的日期和时段", "days and hours at which it is served"),
            "needs": ("对用卡点的要求", "what a point must have to offer it"),
            "limit": ("每人次数上限", "how often one holder may use it"),
            "capacity": ("每个用卡点的接待上限", "how many uses one point takes; a point may set its own number"),
            "offline": ("离线闸机的限制；不填为不得离线", "what a gate without a connection may do; none: nothing"),
            "journey": ("分进出两次刷卡的行程", "it is used by tapping in and out"),
            "pass": ("出售套票（年卡、次卡）", "it sells a pass"),
            "price": ("价格；不填为免费", "what it costs; none: nothing"),
            "means": ("支付方式的默认顺序，须含钱包", "ways to pay in their default order, the purse among them"),
            "transfer": ("换乘优惠", "a discount for changing from other items"),
            "day_cap_fen": (
                "每人每日实付封顶（分），超出由运营单位承担",
                "the most a holder pays in a day, in fen; the operator bears the rest",
            ),
            "refund": ("退回期限", "for how long a use may be given back"),
            "concession": (
                "减免优待，最优惠的一项适用，相同时取先列的",
                "reduced terms; the one that leaves least to pay applies, of equal ones the first",
            ),
        },
    ),
    Table(
        "Words",
        terms.Bilingual,
        (
            "name",
            "lead_unit",
            "supporting_units",
            "audience",
            "conditions",
            "materials",
            "steps",
            "time_limit",
            "guide",
            "decided.by",
            "concession.note",
        ),
        "两种语言的文字，都不得为空",
        "words in both languages, neither empty",
        {"zh": ("中文", "Chinese"), "en": ("英文", "English")},
    ),
    Table(
        "Decided",
        terms.Decided,
        ("decided",),
        "列入清单的决定",
        "the decision that put it on its list",
        {"by": ("决定机关", "who decided"), "on": ("决定日期", "on which day")},
    ),
    Table(
        "When",
        terms.When,
        ("when", "needs.when", "concession.when"),
        "日期和时段；两者同时满足",
        "days and hours; both must hold",
        {
            "days": (
                "日期种类，按工作日历（调休的周末为工作日）",
                "kinds of day by the working calendar: a weekend day that is made up for is a working day",
            ),
            "hours": (
                "时段，含起不含止；跨零点分为两段；不填为全天",
                "windows of the day, the end exclusive; two over midnight; none: all day",
            ),
        },
    ),
    Table(
        "Needs",
        terms.Needs,
        ("needs",),
        "用卡点须具备的条件，在载入和开通时检查",
        "what a point must have; checked when files are loaded and offers made",
        {
            "attended": ("是否须有人值守", "staff beside the terminal"),
            "media": ("终端须能读取的出示方式（二维码、实体卡）", "media that its terminals must read: code, card"),
            "when": ("须开放的时段", "when it must be open"),
        },
    ),
    Table(
        "Quota",
        terms.Quota,
        ("limit", "capacity", "concession.quota"),
        "一个日历周期内的次数",
        "uses in a calendar period",
        {
            "count": ("次数", "how many"),
            "period": ("周期（北京时间）", "in each day, month or year of Asia/Shanghai"),
        },
    ),
    Table(
        "Offline",
        terms.Offline,
        ("offline",),
        "离线闸机",
        "a gate without a connection",
        {
            "limit_fen": ("每笔上限（分）", "the most one use may cost, in fen"),
            "days": ("可离线天数", "for how many days without contact"),
            "shortfall": (
                "事后扣款不足由谁承担；holder记为欠款，下次充值先还",
                "who bears what the purse lacks afterwards; `holder`: a debt, which the next top-up pays first",
            ),
            "double": (
                "同一二维码或同一次读卡再次放行，由谁付费",
                "who pays for what was admitted on a code, or a reading of a card, that was used before",
            ),
            "refused": (
                "平台本应拒绝（已挂失、次数用完等）而闸机已放行，由谁付费",
                "who pays for what was admitted and the platform would have refused: a lost card, a quota used up",
            ),
        },
    ),
    Table(
        "Price",
        terms.Price,
        ("price",),
        "全价及收付账户；full_fen、open_fen、distance、hourly 四者取一",
        "the full price and its accounts; exactly one of `full_fen`, `open_fen`, `distance`, `hourly`",
        {
            "from": ("付款账户", "the account that pays"),
            "to": ("收款账户", "the account that is paid"),
            "full_fen": ("固定全价（分）", "always the same, in fen"),
            "open_fen": ("现场输入的金额范围（分）", "[least, most] of an amount named at the point, in fen"),
            "distance": ("按里程计价", "by the way between tap-in and tap-out; with `journey`"),
            "hourly": ("按小时计价", "by the time between them; with `journey`"),
        },
    ),
    Table(
        "Distance",
        fares.Distance,
        ("price.distance",),
        "里程票价表，按最短路径",
        "fares by the shortest way",
        {
            "steps": (
                "[米, 分]：至多该里程的票价，逐级不降；超出按最后一级",
                "[up to so many metres, fen], farther and never cheaper; beyond the last as the last",
            ),
            "line": ("线路", "the lines"),
        },
    ),
    Table(
        "Line",
        fares.Line,
        ("price.distance.line",),
        "一条线路",
        "one line",
        {
            "code": ("线路代码", "its code"),
            "stations": (
                "[用卡点代码, 距起点米数]；同在两线的车站为换乘站",
                "[point's code, metres from the start] in order; a station on two lines joins them",
            ),
        },
    ),
    Table(
        "Hourly",
        fares.Hourly,
        ("price.hourly",),
        "按小时计价，不足一小时按一小时",
        "a price by the started hour",
        {
            "fen": ("每小时（分）", "of each started hour, in fen"),
            "max_fen": ("单次最多（分）", "the most one visit can cost, in fen; held at its beginning"),
            "free_minutes": ("免费分钟数", "how many first minutes cost nothing"),
        },
    ),
    Table(
        "Concession",
        terms.Concession,
        ("concession",),
        "减免优待；class、pass 二者取一",
        "reduced terms; exactly one of `class`, `pass`",
        {
            "class": ("人群类别，或everyone", "a class of holders, or `everyone`"),
            "pass": (
                "出售套票的项目：持有有效套票者适用",
                "the item that sold a pass: its owner gets the terms while it is good",
            ),
            "key": (
                "在本项目内的唯一名称，用于记录和计次；默认取class或pass",
                "its name among the item's, in records and quotas; by default its class or pass",
            ),
            "price": ("优惠后的价格", "what is left to pay"),
            "funded_by": ("差额由谁承担", "who bears the rest"),
            "region": ("发卡地范围", "whose cards: `local`, `all` or an area set's"),
            "when": ("适用的日期和时段", "days and hours at which it applies"),
            "quota": ("适用次数上限，用完改用次优一项", "how often it applies; then the next best does"),
            "note": ("说明，默认取人群类别的名称", "what it is called; by default its class"),
        },
    ),
    Table(
        "Discount",
        terms.Discount,
        ("concession.price",),
        "优惠后的价格；percent、fixed_fen、cap_fen 三者取一，绝不高于全价",
        "what is left to pay, never above the full price; exactly one of `percent`, `fixed_fen`, `cap_fen`",
        {
            "percent": ("实付百分比；不足一分的舍去", "so much of the full price; a part of a fen is dropped"),
            "off_fen_max": ("与percent并用：最多减（分）", "beside `percent`: at most so much less, in fen"),
            "fixed_fen": (
                "固定实付（分），用于固定全价",
                "this price, where the full price is always the same, in fen",
            ),
            "cap_fen": ("封顶实付（分），用于变动价格", "never more than this, where the price varies, in fen"),
        },
    ),
    Table(
        "Transfer",
        terms.Transfer,
        ("transfer",),
        "换乘优惠，由运营单位承担",
        "a discount for changing, borne by the operator",
        {
            "after": ("从哪些项目换乘", "items that one changes from"),
            "within_minutes": ("几分钟之内（至进站为止）", "within so many minutes, until a journey begins"),
            "off_fen": ("减多少（分）", "how much less, in fen"),
        },
    ),
    Table(
        "Journey",
        terms.Journey,
        ("journey",),
        "进出两次刷卡；进时冻结最高价，出时结算",
        "tapped in and out: the most it can cost is held, the price is posted",
        {
            "ends_after_hours": (
                "几小时后自动结束，按最高价",
                "ends by itself after so many hours, at the most it can cost",
            )
        },
    ),
    Table(
        "Pass",
        terms.PassTerms,
        ("pass",),
        "本项目出售的套票",
        "the pass that the item sells",
        {
            "activate_within_days": (
                "几天内启用；到期未用则次日自动启用",
                "it starts on its first use within so many days, else by itself the day after",
            ),
            "lasts_days": ("有效天数，至最后一日24时", "good for so many days, until the midnight that ends the last"),
            "uses": ("可用次数；不填为不限", "how often it serves; none: without limit"),
        },
    ),
    Table(
        "Refund",
        terms.Refund,
        ("refund",),
        "退回",
        "giving a use back",
        {"within_days": ("几天之内；0为限当日", "for so many days; 0: on its own day only")},
    ),
    Table(
        "Excluded",
        terms.Excluded,
        ("excluded",),
        "法定须用居民身份证的事项",
        "a matter for the resident identity card",
        {
            "basis": ("法规依据代码", "code of the register of legal bases"),
            "zh": ("告知的理由（中文）", "the reason told, in Chinese"),
            "en": ("告知的理由（英文）", "the reason told, in English"),
        },
    ),
)
