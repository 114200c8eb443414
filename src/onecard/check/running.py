"""Run every check on one database, as its owner."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg.rows import dict_row

from onecard.check import dictionary
from onecard.check import lists as status_lists
from onecard.check.findings import Finding
from onecard.foundation import crypto, keys, node, sql
from onecard.foundation.postgres import grants, roles, urls
from onecard.foundation.postgres.grants import Connection
from onecard.kernel.ecards import ref_notes

HERE = "onecard.check"
LINES_MAX = 20
STREAM_ROWS = 5_000

Say = Callable[[str, str], None]


class Figures(NamedTuple):
    """A check that is one statement: its row is ``checked`` and the count of each kind of fault."""

    code: str
    statement: str
    zh: str
    en: str


FIGURES = (
    Figures(
        "BALANCES",
        "balances",
        "余额等于记账之和，不低于零，不超过上限",
        "Balances equal the sums of transfers, none below zero or above its ceiling",
    ),
    Figures(
        "LEDGERS",
        "ledgers",
        "每个账本合计为零，记账不跨账本",
        "Each ledger sums to zero and no transfer crosses ledgers",
    ),
    Figures(
        "HOLDS",
        "holds",
        "冻结至多处理一次，且不超过冻结金额",
        "A hold is resolved at most once, for at most its amount",
    ),
    Figures(
        "USE_TRANSFERS",
        "use_transfers",
        "每次通过的用卡恰有其记账，未通过的没有",
        "An admitted use has exactly its transfers, a refused one none",
    ),
    Figures(
        "REFUNDS",
        "refunds",
        "退款与冲正恰为原笔的反向，且只有一次",
        "Refunds and corrections reverse exactly, once",
    ),
    Figures(
        "JOURNEYS",
        "journeys",
        "进行中的行程各有其冻结，已结束的没有，没有逾期未结束的",
        "An open journey has its hold, one that ended has none, and none is overdue",
    ),
    Figures(
        "BANK_ORDERS",
        "bank_orders",
        "银行付款与退款各有其记账，没有滞留的指令",
        "What the bank paid and gave back has its transfers, and no order is stuck",
    ),
    Figures(
        "OFFLINE_LINES",
        "offline_lines",
        "离线流水与用卡一一对应，放行都有着落，欠款不为负",
        "A journal's lines and their uses are one to one, what gates admitted stands, and no debt is below zero",
    ),
    Figures("NONCES", "nonces", "一个二维码只使用一次", "A code is used once"),
    Figures(
        "JOURNAL_KEYS",
        "journal_keys",
        "终端流水与用卡一一对应",
        "A terminal's journal line and its use are one to one",
    ),
    Figures(
        "QUOTAS",
        "quotas",
        "本期次数不少于已计入的用卡",
        "Quotas of the running periods are not below the uses that count",
    ),
    Figures(
        "PASSES",
        "passes",
        "套票剩余次数与启用日同其用卡一致，售出与退回各有其用卡",
        "What is left of a pass and its start agree with its uses, its sale and its refund with theirs",
    ),
    Figures(
        "CAPACITIES",
        "capacities",
        "已接待人数等于通过的用卡减去已退回的",
        "Places taken are the admitted uses less those given back",
    ),
    Figures(
        "MEANS",
        "means",
        "支付顺序属于登记的持卡人和现有的应用项目",
        "An order of ways to pay is of a registered holder, for an item there is",
    ),
    Figures(
        "STANDINGS",
        "standings",
        "卡况与登记一致",
        "Standings say what the register says",
    ),
    Figures(
        "RISKS",
        "risks",
        "每条风险事实的状态与其处置记录一致",
        "Where each risk fact stands is what its follow-ups say",
    ),
    Figures(
        "DAY_SUMS",
        "day_sums",
        "每日用卡合计与用卡一致",
        "Sums of days are those of their uses",
    ),
    Figures(
        "PARTITIONS",
        "partitions",
        "默认分区为空，后续分区已建",
        "Default partitions are empty and the next ones are made",
    ),
)


def silent(zh: str, en: str) -> None:
    """Progress that nobody reads."""


def run(url: str, say: Say = silent) -> list[Finding]:
    """Check the database at `url`, as its owner. `say` hears what is being checked (zh, en).

    Needs the keys of cards, codes and anchors (`foundation.keys`). Raises Unavailable ``DATABASE_UNREACHABLE``.
    """
    with roles.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute("SET LOCAL work_mem = '128MB'")
        connection.execute("SET LOCAL jit = off")
        findings = [_announced(say, each.zh, each.en, lambda each=each: _figures(connection, each)) for each in FIGURES]  # type: ignore[misc]
        findings += [
            _announced(say, "核对卡号索引", "Card number indexes", lambda: _number_indexes(connection)),
            _announced(say, "核对当日编号密钥", "Keys behind refs", lambda: _ref_keys(connection)),
            _announced(say, "核对状态列表", "Status lists", lambda: _lists(connection)),
            _announced(say, "核对数据库权限", "Grants", lambda: _grants(connection, url)),
            _announced(say, "核对数据字典", "Data dictionary", lambda: _dictionary(connection)),
        ]
    findings.append(_announced(say, "核对审计链", "Audit chain", lambda: _audit(url)))
    return findings


def _announced(say: Say, zh: str, en: str, check: Callable[[], Finding]) -> Finding:
    say(zh, en)
    return check()


def _figures(connection: Connection, check: Figures) -> Finding:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(sql.load(HERE, check.statement).encode()).fetchone()
    assert row is not None
    return Finding(check.code, check.zh, check.en, {name: int(number) for name, number in row.items()})


def _number_indexes(connection: Connection) -> Finding:
    """The one comparison that takes a key, hence Python: cards stream past, uses never do."""
    ring, checked, different = keys.load("cards"), 0, 0
    with connection.cursor(name="number_indexes") as cursor:
        cursor.itersize = STREAM_ROWS
        cursor.execute(sql.load(HERE, "number_indexes").encode())
        for number, index in cursor:
            checked += 1
            different += crypto.blind_index(ring, "card_number", number) != bytes(index)
    return Finding(
        "NUMBER_INDEXES",
        "卡况可由卡号找到",
        "Standings are found by their card's number",
        {"checked": checked, "different": different},
    )


def _ref_keys(connection: Connection) -> Finding:
    known = {(id_, day) for id_, day in connection.execute("SELECT id, from_day FROM ecards_ref_key")}
    missing = ref_notes.missing(connection.info.dbname, known)
    return Finding(
        "REF_KEYS",
        "每个做过的当日编号密钥都在库中",
        "Every key behind refs that was made is in the database",
        {"checked": len(known) + len(missing), "missing": len(missing)},
        tuple(
            f"id {each.id}, {each.from_day}: 数据库早于该密钥，该日起的二维码与流水会认错人，请恢复到更晚的时点。"
            " The database is from before this key was made: codes and journals from that day on would name somebody"
            " else; restore it to a later moment."
            for each in missing
        ),
    )


def _lists(connection: Connection) -> Finding:
    numbers, lines = status_lists.compare(connection, node.code())
    return Finding(
        "LISTS",
        "状态列表按时制作、签名有效，内容与卡况一致",
        "Status lists are made in time, signed, and agree with the standings",
        numbers,
        lines[:LINES_MAX],
    )


def _grants(connection: Connection, url: str) -> Finding:
    found = grants.difference(connection, suffix=suffix_of(urls.parse(url).role))
    return Finding(
        "GRANTS",
        "数据库权限与权限金表一致",
        "Rights in the database are those of the golden table",
        {
            "checked": len(grants.golden_grants(connection)),
            "missing": len(found.missing),
            "extra": len(found.extra),
        },
        tuple(found.lines()[:LINES_MAX]),
    )


def suffix_of(owner: str) -> str:
    """``onecard_owner_test`` → ``_test``; an owner of another name has none."""
    return owner.removeprefix(roles.role_name(roles.OWNER)) if owner.startswith(roles.role_name(roles.OWNER)) else ""


def _dictionary(connection: Connection) -> Finding:
    known = dictionary.read()
    stored = connection.execute(sql.load(HERE, "columns").encode()).fetchall()
    missing, gone, checked = dictionary.compare(known, stored)
    return Finding(
        "DICTIONARY",
        "每个字段在数据字典中有级别、目的、依据与保存期限",
        "Every column has level, purpose, basis and retention in the data dictionary",
        {"checked": checked, "undescribed": len(missing), "not_stored": len(gone), "incomplete": len(known.faults)},
        (*missing, *gone, *known.faults)[:LINES_MAX],
    )


def _audit(url: str) -> Finding:
    from onecard.kernel.audit import actions, queries

    with django_at(url):
        found = queries.verify_chain()
        sealed = actions.last_seal()[0]
    faults = [each for each in found if each.is_fault]
    numbers = {
        "checked": sealed,
        "unsealed": sum(each.count for each in found if not each.is_fault),
        "oldest_unsealed_s": max((each.age_s for each in found if not each.is_fault), default=0),
        "faults": len(faults),
    }
    return Finding(
        "AUDIT_CHAIN",
        "审计链与锚点完好",
        "The audit chain and its anchors are whole",
        numbers,
        tuple(f"{each.kind} {each.subject} {each.count}" for each in faults[:LINES_MAX]),
        frozenset({"checked", "unsealed", "oldest_unsealed_s"}),
    )


@contextmanager
def django_at(url: str) -> Iterator[None]:
    """Django's connection at `url` for a while; it is set up as the owner if nobody did."""
    from django.conf import settings

    if not settings.configured:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
        os.environ.setdefault(urls.ENVIRONMENT, url)
    import django
    from django.apps import apps
    from django.db import connection

    if not apps.ready:
        django.setup()
    address = urls.parse(url)
    place = {"NAME": address.name, "USER": address.role, "PASSWORD": address.password, "HOST": address.host}
    wanted = {**place, "PORT": str(address.port or "")}
    before = dict(connection.settings_dict)
    if all(str(before.get(key) or "") == value for key, value in wanted.items()):
        yield
        return
    connection.close()
    connection.settings_dict.update(wanted)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
