"""What the demo city consists of besides people: parties, systems, points, terminals. Rows of data.

Divisions are real (GB/T 2260); organisations, lines and branches are invented and say so in their names.
"""

from typing import NamedTuple

from onecard_kit.terms import DayKind, When

PLACE = "320600"
RIDE, METRO_RIDE, FERRY_RIDE = "transit.bus_ride", "transit.metro_ride", "transit.ferry_ride"
TOPUP, PURCHASE, PHARMACY_PURCHASE = "payments.purse_topup", "payments.shop_purchase", "health.pharmacy_purchase"
ENTRY, MUSEUM_ENTRY, HALL_VISIT = "culture.library_entry", "culture.museum_entry", "culture.sports_hall_visit"
HAIAN_ENTRY = "culture.haian_library_entry"
SCENIC_ENTRY, PARK_PASS = "tourism.scenic_entry", "tourism.park_pass"
CAMPUS_ENTRY, REGISTRATION = "education.campus_entry", "health.registration"
MEAL, LODGING, CARE_VISIT = "living.canteen_meal", "living.lodging_registration", "protection.elder_care_visit"
IDENTITY, SIGN_ON = "government.window_identity", "government.sign_on"
# Matters that want the resident identity card: offered, so that a window refuses the card with the reason.
HOUSEHOLD, EXIT_PAPERS = "government.household_register_change", "government.exit_papers"
MARRIAGE, ADOPTION = "government.marriage_registration", "government.adoption_registration"
CONSCRIPTION, DISABILITY = "mobilisation.military_registration", "protection.disability_certificate"

BUS, LIBRARY, BANK, TREASURY, BUREAU = "NT-BUS", "NT-LIB", "NT-RCB", "NT-FIN", "NT-HRSS"
METRO, FERRY, MUSEUM, PARKS, SPORTS = "NT-METRO", "NT-FERRY", "NT-MUS", "NT-PARK", "NT-SPORT"
CANTEEN, OFFICES, SHOP, MERCHANTS, SCHOOL = "NT-CANT", "NT-OFFICE", "NT-SHOP", "NT-MALL", "NT-SCH"
HOSPITAL, PHARMACY, HALL, HOTEL, CARE = "NT-HOSP", "NT-PHARM", "NT-GOV", "NT-HOTEL", "NT-CARE"
# Where integrators try: the point, and what it offers.
TRIALS, SANDBOX = "NT-DEV", "NT-DEV-1"
TRIED = (RIDE, ENTRY)


class PartyRow(NamedTuple):
    """A party of the city."""

    code: str
    kind: str
    name_zh: str
    name_en: str


class AccountRow(NamedTuple):
    """An account without a limit that a party holds."""

    party: str
    role: str
    ledger: str


class PointRow(NamedTuple):
    """A point of a party, the items it offers, and its terminals: how many unattended, how many with staff beside.

    `sponsor` is the employer or merchant that funds here; `capacities` are (item, count) where the point takes another
    number than the item says. `position` is latitude and longitude; two hotels alone have one, for a day of the demo is
    played in a minute, and everybody would be said to be in two places too fast.
    """

    code: str
    party: str
    name_zh: str
    name_en: str
    division: str
    items: tuple[str, ...]
    gates: int
    desks: int
    hours: tuple[When, ...] = ()
    media: tuple[str, ...] = ("code", "card")
    sponsor: str = ""
    demonstration: bool = False
    capacities: tuple[tuple[str, int], ...] = ()
    position: tuple[float, float] | None = None

    def terminals(self) -> list[tuple[str, bool]]:
        """(code, attended) of each terminal: ``NT-BUS-L01-1``, desks after the gates."""
        return [(f"{self.code}-{n + 1}", n >= self.gates) for n in range(self.gates + self.desks)]


PARTIES = (
    PartyRow(BUREAU, "department", "南通市人力资源和社会保障局（演示）", "Nantong Social Security Bureau (demo)"),
    PartyRow(TREASURY, "treasury", "南通市财政（演示）", "Nantong city treasury (demo)"),
    PartyRow(BUS, "operator", "南通公交（演示）", "Nantong Bus (demo)"),
    PartyRow(LIBRARY, "operator", "南通市图书馆（演示）", "Nantong City Library (demo)"),
    PartyRow(BANK, "bank", "南通农商银行（演示）", "Nantong Rural Commercial Bank (demo)"),
    PartyRow(METRO, "operator", "南通轨道交通（演示）", "Nantong Metro (demo)"),
    PartyRow(FERRY, "operator", "江海轮渡（演示）", "Jianghai Ferry (demo)"),
    PartyRow(MUSEUM, "operator", "南通市博物馆（演示）", "Nantong City Museum (demo)"),
    PartyRow(PARKS, "operator", "南通文旅集团（演示）", "Nantong Parks and Tourism (demo)"),
    PartyRow(SPORTS, "operator", "南通体育场馆（演示）", "Nantong Sports Halls (demo)"),
    PartyRow(CANTEEN, "operator", "机关食堂餐饮公司（演示）", "Office Canteen Catering (demo)"),
    PartyRow(OFFICES, "department", "南通市机关事务管理局（演示）", "Nantong Office Affairs (demo)"),
    PartyRow(SHOP, "operator", "银鲳超市（演示）", "Yinchang Supermarkets (demo)"),
    PartyRow(MERCHANTS, "operator", "濠河商户联盟（演示）", "Haohe Merchants' Union (demo)"),
    PartyRow(SCHOOL, "operator", "芦笛中学（演示）", "Ludi School (demo)"),
    PartyRow(HOSPITAL, "operator", "南通市第九医院（演示）", "Nantong Ninth Hospital (demo)"),
    PartyRow(PHARMACY, "operator", "百草药房（演示）", "Baicao Pharmacies (demo)"),
    PartyRow(HALL, "department", "南通市政务服务中心（演示）", "Nantong Government Hall (demo)"),
    PartyRow(HOTEL, "operator", "潮生旅馆（演示）", "Chaosheng Hotels (demo)"),
    PartyRow(CARE, "operator", "如皋日间照料中心（演示）", "Rugao Day Care (demo)"),
    PartyRow(TRIALS, "operator", "接入测试（演示）", "Integrators' trials (demo)"),
)

# Each party that serves people has one system (接入系统), named after it.
CLIENTS = (
    BUS, LIBRARY, BANK, METRO, FERRY, MUSEUM, PARKS, SPORTS, CANTEEN, SHOP, SCHOOL, HOSPITAL, PHARMACY, HALL, HOTEL,
    CARE, TRIALS,
)  # fmt: skip


def _receivables(party: str, *ledgers: str) -> list[AccountRow]:
    """What is owed to a party, an account for each kind of value it is paid in."""
    return [AccountRow(party, "operator.receivable", ledger) for ledger in ledgers]


ACCOUNTS = (
    AccountRow(BUS, "operator.receivable", "purse"),
    AccountRow(BUS, "operator.receivable", "treasury"),
    *_receivables(METRO, "purse", "treasury"),
    *_receivables(FERRY, "purse", "treasury"),
    *_receivables(PARKS, "purse", "treasury", "bank"),
    *_receivables(SPORTS, "purse", "treasury"),
    *_receivables(CANTEEN, "purse", "bank"),
    *_receivables(SHOP, "purse", "bank"),
    *_receivables(PHARMACY, "purse", "treasury", "bank"),
    *_receivables(CARE, "purse", "treasury"),
    *_receivables(TRIALS, "purse", "treasury", "bank"),
    AccountRow(OFFICES, "employer.share", "bank"),
    AccountRow(MERCHANTS, "merchant.offer", "bank"),
    AccountRow(BANK, "bank.clearing", "purse"),
    AccountRow(BANK, "bank.offer", "purse"),
    AccountRow(BANK, "bank.settlement", "bank"),
    AccountRow(BUS, "operator.receivable", "bank"),
    AccountRow(TREASURY, "treasury.city", "treasury"),
    # What gates without a line let pass and an item has the platform bear.
    AccountRow(BUREAU, "platform.shortfall", "purse"),
)


def _line(number: int, division: str, start: str, end: str, start_en: str, end_en: str) -> PointRow:
    """A bus line; its validators ride on the buses, its division is where it starts."""
    name_zh, name_en = f"{number}路 {start}—{end}（演示）", f"Line {number} {start_en}–{end_en} (demo)"
    return PointRow(f"NT-BUS-L{number:02d}", BUS, name_zh, name_en, division, (RIDE,), gates=2, desks=0)


def _station(number: int, division: str, name: str, name_en: str) -> PointRow:
    """A metro station; the lines and the metres between them stand in the fares of the item."""
    name_zh, name_en = f"轨道交通 {name}站（演示）", f"Metro {name_en} (demo)"
    return PointRow(f"NT-METRO-S{number:02d}", METRO, name_zh, name_en, division, (METRO_RIDE,), gates=2, desks=0)


_DAILY_8_TO_22 = (When(hours=(("08:00", "22:00"),)),)
_MUSEUM_HOURS = (
    When(days=(DayKind.WORKING,), hours=(("09:00", "17:00"),)),
    When(days=(DayKind.WEEKEND, DayKind.HOLIDAY), hours=(("09:00", "20:00"),)),
)
_DAYS_OFF_ONLY = (When(days=(DayKind.WEEKEND, DayKind.HOLIDAY), hours=(("09:00", "17:00"),)),)
_PARK_HOURS = (When(hours=(("06:30", "18:30"),)),)
_FERRY_HOURS = (When(hours=(("06:00", "18:30"),)),)
_SCHOOL_HOURS = (When(hours=(("06:00", "22:30"),)),)
_MEALS = (When(hours=(("06:30", "09:00"), ("11:00", "13:30"), ("17:00", "19:00"))),)
# A day may be played at any hour, so each item has a point that is always open: there its row says no hours.

POINTS = (
    _line(1, "320613", "云笺路", "听棹路", "Yunjian Road", "Tingzhao Road"),
    _line(2, "320613", "银鲳街", "棉桃街", "Yinchang Street", "Miantao Street"),
    _line(3, "320613", "星槎路", "纸鸢巷", "Xingcha Road", "Zhiyuan Lane"),
    _line(4, "320613", "月舶路", "蓝印街", "Yuebo Road", "Lanyin Street"),
    _line(11, "320612", "芦笛路", "稻蛙路", "Ludi Road", "Daowa Road"),
    _line(12, "320612", "芦笛村", "扁豆巷", "Ludi Village", "Biandou Lane"),
    _line(21, "320614", "盐风路", "鹤尾街", "Yanfeng Road", "Hewei Street"),
    _line(31, "320685", "萤火路", "潮生街", "Yinghuo Road", "Chaosheng Street"),
    _line(41, "320623", "盐风村", "竹马巷", "Yanfeng Village", "Zhuma Lane"),
    _line(51, "320681", "白帆大道", "蒲扇巷", "Baifan Avenue", "Pushan Lane"),
    _line(61, "320682", "风筝里", "雨巢路", "Fengzheng Lane", "Yuchao Road"),
    _line(62, "320682", "雨巢路", "萤火村", "Yuchao Road", "Yinghuo Village"),
    PointRow("NT-BUS-D1", BUS, "崇川停车场（演示）", "Chongchuan depot (demo)", "320613", (RIDE,), 1, 1),
    PointRow("NT-BUS-D2", BUS, "如皋停车场（演示）", "Rugao depot (demo)", "320682", (RIDE,), 1, 1),
    PointRow("NT-LIB-B1", LIBRARY, "市图书馆总馆（演示）", "Main library (demo)", "320613", (ENTRY,), 3, 1),
    PointRow("NT-LIB-B2", LIBRARY, "通州分馆（演示）", "Tongzhou branch (demo)", "320612", (ENTRY,), 1, 1),
    PointRow("NT-LIB-B3", LIBRARY, "海安分馆（演示）", "Hai'an branch (demo)", "320685", (HAIAN_ENTRY,), 1, 1),
    PointRow("NT-RCB-O1", BANK, "崇川支行（演示）", "Chongchuan outlet (demo)", "320613", (TOPUP,), 0, 2),
    PointRow("NT-RCB-O2", BANK, "海门支行（演示）", "Haimen outlet (demo)", "320614", (TOPUP,), 0, 1),
    PointRow("NT-RCB-O3", BANK, "如东支行（演示）", "Rudong outlet (demo)", "320623", (TOPUP,), 0, 1),
    PointRow("NT-RCB-O4", BANK, "启东支行（演示）", "Qidong outlet (demo)", "320681", (TOPUP,), 0, 1),
    _station(1, "320613", "云笺路", "Yunjian Road"),
    _station(2, "320613", "听棹路", "Tingzhao Road"),
    _station(3, "320613", "银鲳街", "Yinchang Street"),
    _station(4, "320613", "星槎路", "Xingcha Road"),
    _station(5, "320613", "月舶路", "Yuebo Road"),
    _station(6, "320613", "蓝印街", "Lanyin Street"),
    _station(7, "320612", "稻蛙路", "Daowa Road"),
    _station(8, "320612", "芦笛路", "Ludi Road"),
    _station(9, "320613", "棉桃街", "Miantao Street"),
    _station(10, "320613", "纸鸢巷", "Zhiyuan Lane"),
    _station(11, "320613", "竹马巷", "Zhuma Lane"),
    _station(12, "320613", "扁豆巷", "Biandou Lane"),
    _station(13, "320614", "鹤尾街", "Hewei Street"),
    PointRow("NT-FERRY-A", FERRY, "崇川渡口（演示）", "Chongchuan landing (demo)", "320613", (FERRY_RIDE,), 1, 1,
             hours=_FERRY_HOURS),
    PointRow("NT-FERRY-B", FERRY, "启东渡口（演示）", "Qidong landing (demo)", "320681", (FERRY_RIDE,), 1, 1,
             hours=_FERRY_HOURS),
    PointRow("NT-FERRY-C", FERRY, "通州汽渡（演示，昼夜通航）", "Tongzhou car ferry, day and night (demo)",
             "320612", (FERRY_RIDE,), 1, 1),
    PointRow("NT-MUS-M1", MUSEUM, "市博物馆（演示）", "City museum (demo)", "320613", (MUSEUM_ENTRY,), 2, 1,
             hours=_MUSEUM_HOURS, demonstration=True),
    PointRow("NT-MUS-M2", MUSEUM, "蓝印花布馆（演示）", "Blue calico house (demo)", "320623", (MUSEUM_ENTRY,), 1, 1,
             hours=_DAYS_OFF_ONLY, capacities=((MUSEUM_ENTRY, 300),)),
    PointRow("NT-MUS-M3", MUSEUM, "城市书画廊（演示，昼夜开放）", "Town gallery, open day and night (demo)", "320613",
             (MUSEUM_ENTRY,), 2, 0),
    PointRow("NT-MUS-M4", MUSEUM, "盐风小馆（演示，昼夜开放）", "Yanfeng cabinet, open day and night (demo)", "320614",
             (MUSEUM_ENTRY,), 1, 0, capacities=((MUSEUM_ENTRY, 20),)),
    PointRow("NT-PARK-P1", PARKS, "星槎山景区（演示）", "Xingcha Hill (demo)",
             "320613", (SCENIC_ENTRY, PARK_PASS), 2, 1, hours=_PARK_HOURS, demonstration=True),
    PointRow("NT-PARK-P2", PARKS, "雨巢园（演示）", "Yuchao Garden (demo)", "320682", (SCENIC_ENTRY, PARK_PASS), 1, 1,
             hours=_PARK_HOURS, capacities=((SCENIC_ENTRY, 1500),)),
    PointRow("NT-PARK-P3", PARKS, "潮生滩（演示）", "Chaosheng Beach (demo)", "320685", (SCENIC_ENTRY,), 2, 0,
             hours=_PARK_HOURS),
    PointRow("NT-PARK-P4", PARKS, "灯火水街（演示，昼夜开放）", "Lantern waterside, open day and night (demo)",
             "320613", (SCENIC_ENTRY, PARK_PASS), 2, 1),
    PointRow("NT-SPORT-H1", SPORTS, "崇川全民健身馆（演示）", "Chongchuan sports hall (demo)",
             "320613", (HALL_VISIT,), 2, 1, hours=_DAILY_8_TO_22),
    PointRow("NT-SPORT-H2", SPORTS, "海门游泳馆（演示）", "Haimen pool (demo)", "320614", (HALL_VISIT,), 2, 0,
             hours=_DAILY_8_TO_22, capacities=((HALL_VISIT, 120),)),
    PointRow("NT-SPORT-H3", SPORTS, "听棹路健身舱（演示，昼夜开放）", "Tingzhao Road gym, open day and night (demo)",
             "320613", (HALL_VISIT,), 2, 0),
    PointRow("NT-CANT-C1", CANTEEN, "市机关第一食堂（演示）", "City offices' canteen (demo)", "320613", (MEAL,), 1, 1,
             hours=_MEALS, sponsor=OFFICES, demonstration=True),
    PointRow("NT-CANT-C2", CANTEEN, "通州机关食堂（演示）", "Tongzhou offices' canteen (demo)", "320612", (MEAL,), 1, 1,
             hours=_MEALS, sponsor=OFFICES),
    PointRow("NT-CANT-C3", CANTEEN, "机关值班食堂（演示，昼夜供餐）", "Canteen for those on duty, day and night (demo)",
             "320613", (MEAL,), 1, 1, sponsor=OFFICES),
    PointRow("NT-SHOP-M1", SHOP, "银鲳街店（演示）", "Yinchang Street store (demo)", "320613", (PURCHASE,), 1, 2,
             sponsor=MERCHANTS, demonstration=True),
    PointRow("NT-SHOP-M2", SHOP, "如东店（演示）", "Rudong store (demo)",
             "320623", (PURCHASE,), 0, 1, sponsor=MERCHANTS),
    PointRow("NT-SHOP-M3", SHOP, "启东店（演示）", "Qidong store (demo)",
             "320681", (PURCHASE,), 0, 1, sponsor=MERCHANTS),
    PointRow("NT-SCH-G1", SCHOOL, "芦笛中学南门（演示）", "Ludi School, south gate (demo)",
             "320612", (CAMPUS_ENTRY,), 2, 0, hours=_SCHOOL_HOURS),
    PointRow("NT-SCH-G2", SCHOOL, "芦笛中学北门（演示）", "Ludi School, north gate (demo)",
             "320612", (CAMPUS_ENTRY,), 1, 0, hours=_SCHOOL_HOURS),
    PointRow("NT-SCH-G3", SCHOOL, "芦笛中学宿舍区（演示，昼夜值守）", "Ludi School, boarders, day and night (demo)",
             "320612", (CAMPUS_ENTRY,), 1, 0),
    PointRow("NT-HOSP-R1", HOSPITAL, "门诊挂号处（演示）", "Outpatient registration (demo)",
             "320613", (REGISTRATION,), 2, 2),
    PointRow("NT-HOSP-R2", HOSPITAL, "海安分院挂号处（演示）", "Hai'an registration (demo)",
             "320685", (REGISTRATION,), 1, 1),
    PointRow("NT-PHARM-S1", PHARMACY, "百草药房听棹路店（演示）", "Baicao, Tingzhao Road (demo)",
             "320613", (PHARMACY_PURCHASE,), 0, 1),
    PointRow("NT-PHARM-S2", PHARMACY, "百草药房如皋店（演示）", "Baicao, Rugao (demo)",
             "320682", (PHARMACY_PURCHASE,), 0, 1),
    PointRow("NT-GOV-W1", HALL, "综合窗口（演示）", "General windows (demo)", "320613", (IDENTITY,), 0, 2,
             demonstration=True),
    PointRow("NT-GOV-W2", HALL, "公安窗口（演示）", "Public-security windows (demo)", "320613",
             (IDENTITY, HOUSEHOLD, EXIT_PAPERS), 0, 1),
    PointRow("NT-GOV-W3", HALL, "民政窗口（演示）", "Civil-affairs windows (demo)", "320613",
             (IDENTITY, MARRIAGE, ADOPTION), 0, 1),
    PointRow("NT-GOV-W4", HALL, "兵役登记窗口（演示）", "Conscription window (demo)", "320613", (CONSCRIPTION,), 0, 1),
    PointRow("NT-GOV-W5", HALL, "残联窗口（演示）", "Window for people with disabilities (demo)", "320613",
             (IDENTITY, DISABILITY), 0, 1),
    PointRow("NT-GOV-NET", HALL, "政务服务网（演示）", "Government services online (demo)", "320613", (SIGN_ON,), 1, 0,
             media=("code",)),
    PointRow("NT-HOTEL-F1", HOTEL, "潮生旅馆海安店（演示）", "Chaosheng Hotel, Hai'an (demo)",
             "320685", (LODGING,), 0, 1, position=(32.53, 120.46)),
    PointRow("NT-HOTEL-F2", HOTEL, "潮生旅馆崇川店（演示）", "Chaosheng Hotel, Chongchuan (demo)",
             "320613", (LODGING,), 0, 1, position=(32.01, 120.86)),
    PointRow("NT-CARE-D1", CARE, "雨巢路照料中心（演示）", "Yuchao Road day care (demo)",
             "320682", (CARE_VISIT,), 0, 1),
    PointRow("NT-CARE-D2", CARE, "风筝里照料中心（演示）", "Fengzheng Lane day care (demo)",
             "320682", (CARE_VISIT,), 0, 1),
    PointRow(SANDBOX, TRIALS, "接入测试点（演示）", "Integrators' test point (demo)", "320613", TRIED, 11, 0),
)  # fmt: skip
