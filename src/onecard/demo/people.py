"""Invented people (虚构人物): the same for the same seed and day, marked as invented in all that names a person.

- Identity numbers have valid check digits over area codes 990601 to 990607, one for each county of Nantong. Province
  99 is assigned to nobody, and only a node marked as a demo accepts them.
- Phones are 154 and eight digits, a prefix that no mobile operator uses, so no message reaches a stranger.
- Streets and villages are invented; counties are real. Certificates carry numbers that begin with SYN.

Shares follow public figures in round numbers: Nantong's census of 2020 (30 % aged 60 and over, people by county), the
commonest surnames of the country and of the region, disability certificates near 3 %, veterans near 3 %.
"""

import datetime as dt
import random
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

FIRST_PHONE = 15_400_000_000
PHONES = 10**8
PHONE_STEP = 61_803_399  # coprime to PHONES: neighbours in the list do not have neighbouring phones, and none repeats

# (area code of the invented numbers, real county, name, people in ten thousands)
COUNTIES = (
    ("990601", "320613", "崇川区", 150),
    ("990602", "320612", "通州区", 126),
    ("990603", "320614", "海门区", 99),
    ("990604", "320685", "海安市", 87),
    ("990605", "320623", "如东县", 88),
    ("990606", "320681", "启东市", 97),
    ("990607", "320682", "如皋市", 124),
)

# Per mille of the people in bands of five years from 0 to 99, and the share of men in each.
AGES = (26, 42, 43, 38, 40, 46, 68, 68, 60, 68, 92, 96, 79, 76, 66, 43, 27, 15, 6, 1)
MEN = (0.53,) * 4 + (0.52, 0.51, 0.5, 0.5) + (0.49,) * 5 + (0.48, 0.48, 0.47, 0.44, 0.39, 0.33, 0.28)

# Surnames with their weights; the last rows read otherwise as surnames or have two characters.
SURNAMES = """
王 68 陈 64 张 63 李 45 吴 40 徐 36 顾 34 黄 32 周 30 朱 30 刘 29 沈 28 施 26 陆 26 杨 24 曹 22 季 21 钱 20 孙 20 葛 18
丁 18 袁 16 赵 16 倪 15 许 15 马 14 胡 14 薛 13 姜 13 严 12 高 12 蔡 12 俞 11 冯 11 姚 11 邵 10 范 10 汤 10 唐 10 何 10
郭 9 潘 9 茅 9 瞿 9 成 9 陶 8 林 8 戴 8 邱 8 金 8 韩 7 殷 7 樊 7 谢 7 秦 7 章 6 夏 6 储 6 卢 6 宋 6 石 6 郑 6 费 5 江 5
吉 5 梁 5 缪 5 印 5 崔 4 余 4 花 4 孟 4 龚 4 方 4 程 4 于 4 罗 4 冒 4 仲 4 洪 3 习 3 凌 3 包 3 桑 3 康 3 苏 3 尹 3 叶
3 董 3 魏 3 贾 2 傅 2 杜 2 蒋 2 任 2 汪 2 白 2 田 2 万 2 侯 2 邹 2 熊 2 孔 2 史 2 毛 2 段 2 雷 2 钟 2 黎 2 易 2 常 2
武 2 乔 2 赖 2 单 2 曾 2 翟 2 解 2 查 2 仇 2 覃 1 阚 1 乐 1 欧阳 1 司马 1 上官 1 诸葛 1 尉迟 1
"""

# Characters of given names by era (born before 1970, before 2000, since), men and women.
GIVEN_MEN = (
    "国建华明德志永福金生根林宝庆荣祥贵良才富春海东平忠义仁礼信兆裕锦汉振兴达元昌培余泉康松柏山江龙",
    "伟强军勇斌杰涛磊鹏超飞辉峰波刚健俊宁浩凯亮洋鑫晨旭彬宇翔亚海东晓小志文建国华明新春成林健",
    "浩宇轩泽睿奕辰俊子逸博文涵铭晨嘉梓皓然煜昊天佑宸瑞霖思远一诺承翰书航景行知言柏舟星野亦乐安",
)
GIVEN_WOMEN = (
    "秀英兰珍芳桂玉凤莲梅琴芬华美云香素惠爱月巧菊翠淑娣妹红霞萍宝金银彩蓉琪素贞勤英娥",
    "丽敏静燕娟艳霞玲红芳萍莉婷雪梅琳洁慧颖晓小倩蓉丹佳蕾薇欣怡蓓云春秋海亚文晶莹璐瑶媛娜",
    "梓涵欣怡诗雨子萱可馨一诺语桐若汐依诺思琪雅婷佳妮艺瑶沐晴书瑶清禾星玥安然芷若知夏念初苒",
)
ERA_BEGINS = (1970, 2000)
# Share of given names of one character in each era; two otherwise.
SINGLE_GIVEN = (0.12, 0.32, 0.14)
# A second surname (the mother's) before the given name, a custom since about 2000: four characters in all.
DOUBLE_SURNAME_SINCE_2000 = 0.02
# Characters of planes 2 and 3 that people bear and old systems lose (生僻字).
RARE = "𠮷𣲘𤧛𪨶𫖯𫘧𬍛𬘭𬬭𬭎𬱖𬴊𬸣𰻝𱁬"
RARE_SHARE = 0.003

STREETS = (
    "云笺路", "听棹路", "银鲳街", "棉桃街", "星槎路", "纸鸢巷", "月舶路", "蓝印街", "芦笛路", "稻蛙路", "扁豆巷",
    "盐风路", "鹤尾街", "萤火路", "潮生街", "竹马巷", "风筝里", "雨巢路", "白帆大道", "蒲扇巷",
)  # fmt: skip
VILLAGES = ("云笺村", "稻蛙村", "芦笛村", "棉桃村", "盐风村", "鹤尾村", "萤火村", "扁豆村")


class Certificate(NamedTuple):
    """A certificate to load; `valid_to` is its last day."""

    kind: str
    issuer: str
    number: str
    valid_from: dt.date
    valid_to: dt.date | None


class Person(NamedTuple):
    """An invented person. `place` is the real county (GB/T 2260) where they live and are registered; an empty phone
    means none.
    """

    place: str
    number: str
    name: str
    phone: str
    address: str
    birth_date: dt.date
    sex: int
    synthetic: bool
    certificates: tuple[Certificate, ...]


class Share(NamedTuple):
    """How many of whom hold a kind of certificate: ages from `first` up to but not including `end`."""

    kind: str
    issuer: str
    men: float
    women: float
    first: int
    end: int
    years: int | None  # how long it is valid


# Rows of one kind cover separate ages, so nobody holds two of a kind.
SHARES = (
    Share("disability_blind", "残疾人联合会（演示）", 0.0020, 0.0020, 3, 60, 10),
    Share("disability_blind", "残疾人联合会（演示）", 0.0080, 0.0080, 60, 200, 10),
    Share("disability_limb_1_2", "残疾人联合会（演示）", 0.0050, 0.0035, 3, 200, 10),
    Share("disability_other", "残疾人联合会（演示）", 0.0150, 0.0120, 3, 60, 10),
    Share("disability_other", "残疾人联合会（演示）", 0.0350, 0.0300, 60, 200, 10),
    Share("veteran", "退役军人事务局（演示）", 0.0600, 0.0020, 21, 200, None),
    Share("wounded_soldier", "退役军人事务局（演示）", 0.0012, 0.0, 21, 200, None),
    Share("wounded_police", "公安局（演示）", 0.0003, 0.0001, 24, 200, None),
    Share("special_care", "退役军人事务局（演示）", 0.0040, 0.0060, 60, 200, None),
    Share("blood_donor", "卫生健康委员会（演示）", 0.0030, 0.0030, 25, 70, None),
    Share("model_worker", "总工会（演示）", 0.0010, 0.0008, 35, 200, None),
    Share("low_income", "民政局（演示）", 0.0120, 0.0120, 0, 60, 1),
    Share("low_income", "民政局（演示）", 0.0300, 0.0300, 60, 200, 1),
    Share("teacher", "教育局（演示）", 0.0080, 0.0180, 23, 60, None),
    Share("volunteer", "志愿服务联合会（演示）", 0.0900, 0.1100, 16, 70, None),
    Share("student", "教育局（演示）", 0.9700, 0.9700, 6, 18, 3),
    Share("student", "教育局（演示）", 0.4500, 0.5000, 18, 23, 4),
    Share("office_staff", "机关事务管理局（演示）", 0.0400, 0.0400, 23, 60, None),
)
# What somebody of an age may hold, so that the many are not asked about every kind.
_OPEN_AT = tuple(tuple(share for share in SHARES if share.first <= age < share.end) for age in range(101))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def people(n: int, seed: int, today: dt.date) -> Iterator[Person]:
    """`n` people, as old on `today` as the city's are. The first of a longer list are those of a shorter one."""
    rng = random.Random(f"onecard-people-{seed}")  # noqa: S311 - invented people, no secret
    draw = rng.random
    band_of = _weighted(range(len(AGES)), AGES, draw)
    county_of = _weighted(range(len(COUNTIES)), [county[3] for county in COUNTIES], draw)
    name_of = _names(draw)
    number_of = _numbers()
    newest = today.toordinal()
    for index in range(n):
        band = band_of()
        birth_date = dt.date.fromordinal(newest - int((band + draw()) * 1826.25))
        sex = 1 if draw() < MEN[band] else 2
        county = county_of()
        age = (newest - birth_date.toordinal()) * 4 // 1461
        yield Person(
            COUNTIES[county][1],
            number_of(county, birth_date, sex),
            name_of(birth_date.year, sex),
            _phone(index, age, draw),
            _address(COUNTIES[county][2], county, draw),
            birth_date,
            sex,
            True,
            _certificates(index, birth_date, age, sex, today, draw),
        )


def _weighted(values: Sequence[int], weights: Sequence[int], draw: Callable[[], float]) -> Callable[[], int]:
    """A drawer of values by weight; `random.choices` would sum the weights anew for each person."""
    bounds = list(accumulate(weights))
    total = bounds[-1]
    return lambda: values[bisect(bounds, draw() * total)]


def _names(draw: Callable[[], float]) -> Callable[[int, int], str]:
    """A drawer of names by year of birth and sex: mostly three characters, some two, few four."""
    listed = SURNAMES.split()
    surnames = [name for name, weight in zip(listed[::2], listed[1::2], strict=True) for _ in range(int(weight))]
    count = len(surnames)

    def name_of(year: int, sex: int) -> str:
        era = bisect(ERA_BEGINS, year)
        given = (GIVEN_MEN if sex == 1 else GIVEN_WOMEN)[era]
        first = given[int(draw() * len(given))]
        if draw() < RARE_SHARE:
            first = RARE[int(draw() * len(RARE))]
        surname = surnames[int(draw() * count)]
        single = draw() < SINGLE_GIVEN[era]
        second = given[int(draw() * len(given))]
        if era == 2 and len(surname) == 1 and draw() < DOUBLE_SURNAME_SINCE_2000:
            surname += next(name for name in (surnames[int(draw() * count)], "王", "李") if len(name) == 1)
            single = False
        return surname + first if single else surname + first + second

    return name_of


def _numbers() -> Callable[[int, dt.date, int], str]:
    """A giver of identity numbers, each once: the sequence part counts the births of a county, day and sex."""
    born: dict[tuple[int, dt.date, int], int] = {}

    def number_of(county: int, birth_date: dt.date, sex: int) -> str:
        key = (county, birth_date, sex)
        nth = born[key] = born.get(key, -1) + 1
        sequence = 2 * nth + sex  # odd for men, even for women
        if sequence > 999:  # a county's day is full, which takes more people than the country has
            raise ValueError(f"{COUNTIES[county][2]} is full on {birth_date}")
        day = f"{birth_date.year}{birth_date.month:02d}{birth_date.day:02d}"
        return _with_check(f"{COUNTIES[county][0]}{day}{sequence:03d}")

    return number_of


def _with_check(first_17: str) -> str:
    """ISO 7064 MOD 11-2, in the form that is quickest over many."""
    return first_17 + _CHECK[sum(map(mul, _WEIGHTS, map(int, first_17))) % 11]


def _phone(index: int, age: int, draw: Callable[[], float]) -> str:
    """Children have none of their own, and many of the very old."""
    if age < 12 or draw() < (0.4 if age >= 80 else 0.05):
        return ""
    return str(FIRST_PHONE + index * PHONE_STEP % PHONES)


def _address(county_name: str, county: int, draw: Callable[[], float]) -> str:
    """Town or village; the inner district (the first county) is nearly all town."""
    house = 1 + int(draw() * 300)
    if draw() < (0.05 if county == 0 else 0.45):
        village = VILLAGES[int(draw() * len(VILLAGES))]
        return f"江苏省南通市{county_name}{village}{1 + int(draw() * 30)}组{house}号"
    street = STREETS[int(draw() * len(STREETS))]
    room = (1 + int(draw() * 18)) * 100 + 1 + int(draw() * 4)
    return f"江苏省南通市{county_name}{street}{house}号{1 + int(draw() * 30)}幢{room}室"


def _certificates(
    index: int, birth_date: dt.date, age: int, sex: int, today: dt.date, draw: Callable[[], float]
) -> tuple[Certificate, ...]:
    """What a person holds, at most one of a kind; a few have run out without being renewed."""
    held: list[Certificate] = []
    for share in _OPEN_AT[age]:
        if draw() < (share.men if sex == 1 else share.women):
            valid_from, valid_to = _days(share, birth_date, today, draw)
            held.append(Certificate(share.kind, share.issuer, f"SYN{index:09d}{len(held)}", valid_from, valid_to))
    return tuple(held)


def _days(
    share: Share, birth_date: dt.date, today: dt.date, draw: Callable[[], float]
) -> tuple[dt.date, dt.date | None]:
    """The days of a certificate: since the first age at the earliest; one that lasts `years` mostly still runs."""
    earliest = birth_date.toordinal() + int(share.first * 365.25) + 1
    span = int((share.years or 30) * 365.25 * (1.03 if share.years else 1))
    begins = max(earliest, today.toordinal() - int(draw() * span))
    valid_from = dt.date.fromordinal(min(begins, today.toordinal()))
    if share.years is None:
        return valid_from, None
    return valid_from, valid_from + dt.timedelta(days=int(share.years * 365.25) - 1)
