"""What the demo city consists of besides people: parties, systems, points, terminals. Rows of data.

Divisions are real (GB/T 2260); organisations, lines and branches are invented and say so in their names.
"""

from typing import NamedTuple

PLACE = "320600"
RIDE, ENTRY, TOPUP = "transit.bus_ride", "culture.library_entry", "payments.purse_topup"
BUS, LIBRARY, BANK, TREASURY, BUREAU = "NT-BUS", "NT-LIB", "NT-RCB", "NT-FIN", "NT-HRSS"


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
    """A point of a party, the items it offers, and its terminals: how many unattended, how many with staff beside."""

    code: str
    party: str
    name_zh: str
    name_en: str
    division: str
    items: tuple[str, ...]
    gates: int
    desks: int

    def terminals(self) -> list[tuple[str, bool]]:
        """(code, attended) of each terminal: ``NT-BUS-L01-1``, desks after the gates."""
        return [(f"{self.code}-{n + 1}", n >= self.gates) for n in range(self.gates + self.desks)]


PARTIES = (
    PartyRow(BUREAU, "department", "南通市人力资源和社会保障局（演示）", "Nantong Social Security Bureau (demo)"),
    PartyRow(TREASURY, "treasury", "南通市财政（演示）", "Nantong city treasury (demo)"),
    PartyRow(BUS, "operator", "南通公交（演示）", "Nantong Bus (demo)"),
    PartyRow(LIBRARY, "operator", "南通市图书馆（演示）", "Nantong City Library (demo)"),
    PartyRow(BANK, "bank", "南通农商银行（演示）", "Nantong Rural Commercial Bank (demo)"),
)

# Each party that serves people has one system (接入系统), named after it.
CLIENTS = (BUS, LIBRARY, BANK)

ACCOUNTS = (
    AccountRow(BUS, "operator.receivable", "purse"),
    AccountRow(BUS, "operator.receivable", "treasury"),
    AccountRow(BANK, "bank.clearing", "purse"),
    AccountRow(BANK, "bank.offer", "purse"),
    AccountRow(TREASURY, "treasury.city", "treasury"),
)


def _line(number: int, division: str, start: str, end: str, start_en: str, end_en: str) -> PointRow:
    """A bus line; its validators ride on the buses, its division is where it starts."""
    name_zh, name_en = f"{number}路 {start}—{end}（演示）", f"Line {number} {start_en}–{end_en} (demo)"
    return PointRow(f"NT-BUS-L{number:02d}", BUS, name_zh, name_en, division, (RIDE,), gates=2, desks=0)


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
    PointRow("NT-LIB-B3", LIBRARY, "海安分馆（演示）", "Hai'an branch (demo)", "320685", (ENTRY,), 1, 1),
    PointRow("NT-RCB-O1", BANK, "崇川支行（演示）", "Chongchuan outlet (demo)", "320613", (TOPUP,), 0, 2),
    PointRow("NT-RCB-O2", BANK, "海门支行（演示）", "Haimen outlet (demo)", "320614", (TOPUP,), 0, 1),
    PointRow("NT-RCB-O3", BANK, "如东支行（演示）", "Rudong outlet (demo)", "320623", (TOPUP,), 0, 1),
    PointRow("NT-RCB-O4", BANK, "启东支行（演示）", "Qidong outlet (demo)", "320681", (TOPUP,), 0, 1),
)
