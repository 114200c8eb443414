"""After a day: what the terminals were told against what the database holds, and where the money is.

Reads on Django's connection. A report is what `onecard_simulators.day` wrote; amounts are whole fen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows

Report = Mapping[str, Any]
Key = tuple[str, str, int]
"""Terminal, journal, sequence."""

RECORDED = """
SELECT t.code, j.journal::text, j.sequence, u.id::text, u.item, u.verdict, u.full_fen, u.paid_fen, u.waived_fen,
       u.concession
FROM unnest($1::text[], $2::uuid[]) AS w (code, journal)
JOIN catalogue_terminal t ON t.code = w.code
JOIN uses_journal_key j ON j.terminal_id = t.id AND j.journal = w.journal
JOIN uses_use u ON u.id = j.use_id
"""
REFUNDED = "SELECT r.use_id::text, r.id::text FROM uses_refund r WHERE r.use_id = ANY ($1::uuid[])"
MONEY = """
SELECT coalesce(p.name_zh, '持卡人（合计）'), coalesce(p.name_en, 'Holders (together)'), a.role, a.ledger,
       coalesce(sum(m.change) FILTER (WHERE day.id IS NOT NULL), 0)::bigint, sum(m.change)::bigint
FROM (
    SELECT debit_account AS account, -amount_fen AS change, reference, kind FROM ledger_transfer
    UNION ALL
    SELECT credit_account, amount_fen, reference, kind FROM ledger_transfer
) AS m
JOIN ledger_account a ON a.id = m.account
LEFT JOIN partners_party p ON a.owner = 'party:' || p.id
LEFT JOIN unnest($1::uuid[]) AS day (id) ON day.id = m.reference
WHERE m.kind IN ('posted', 'post')
GROUP BY 1, 2, 3, 4 ORDER BY 4, 3, 2
"""
CONCESSIONS = """
WITH borne AS (
    SELECT u.id, u.item, u.point_id, u.concession, u.full_fen - u.paid_fen - u.waived_fen AS fen, false AS waived
    FROM unnest($1::uuid[]) AS day (id) JOIN uses_use u ON u.id = day.id
    WHERE u.verdict = 'ADMITTED' AND u.full_fen > u.paid_fen + u.waived_fen
    UNION ALL
    SELECT u.id, u.item, u.point_id, NULL, u.waived_fen, true
    FROM unnest($1::uuid[]) AS day (id) JOIN uses_use u ON u.id = day.id
    WHERE u.verdict = 'ADMITTED' AND u.waived_fen > 0
    UNION ALL -- journeys that ended by themselves: no use says what they cost
    SELECT u.id, u.item, u.point_id, u.concession, t.amount_fen, false
    FROM unnest($1::uuid[]) AS day (id) JOIN uses_use u ON u.id = day.id
    JOIN ledger_transfer t ON t.reference = u.id AND t.code = 'concession' WHERE u.leg = 'in'
)
SELECT coalesce(a.role, 'operator'), coalesce(funder.name_zh, operator.name_zh),
       coalesce(funder.name_en, operator.name_en), b.item, b.concession, count(*), sum(b.fen)::bigint
FROM borne b
JOIN catalogue_point point ON point.id = b.point_id
JOIN partners_party operator ON operator.id = point.operator_id
LEFT JOIN ledger_transfer t ON t.reference = b.id AND t.code = 'concession' AND NOT b.waived
LEFT JOIN ledger_account a ON a.id = t.debit_account
LEFT JOIN partners_party funder ON a.owner = 'party:' || funder.id
WHERE NOT EXISTS (SELECT FROM uses_refund r WHERE r.use_id = b.id)
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 4, 5 NULLS LAST
"""
MOVED = """
SELECT coalesce(sum(CASE WHEN a.id = t.credit_account THEN t.amount_fen ELSE -t.amount_fen END), 0)::bigint
FROM unnest($1::uuid[]) AS day (id)
JOIN ledger_transfer t ON t.reference = day.id AND t.kind IN ('posted', 'post')
JOIN ledger_account a ON a.id IN (t.debit_account, t.credit_account) AND a.role = 'holder.purse'
"""
ITEMS = """
SELECT v.item_id, v.declaration->'name'->>'zh', v.declaration->'name'->>'en', v.declaration->>'excluded' IS NOT NULL
FROM catalogue_item_version v
WHERE v.stage IN ('published', 'ended') AND v.starts_on <= $1 AND (v.ends_on IS NULL OR v.ends_on > $1)
  AND EXISTS (SELECT FROM catalogue_offer o WHERE o.item_id = v.item_id)
ORDER BY 1
"""


class Recorded(NamedTuple):
    """A use as the database holds it."""

    use: str
    item: str
    verdict: str
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None


class Named(NamedTuple):
    """An item that is offered: what it is called, and whether the law excludes it."""

    code: str
    zh: str
    en: str
    excluded: bool


class Invariant(NamedTuple):
    """Something that must hold after a day, and what speaks against it."""

    zh: str
    en: str
    against: Sequence[str]


def recorded(report: Report) -> dict[Key, Recorded]:
    """What the database holds of the report's journals."""
    journals = report["journals"]
    found = rows(RECORDED, [each["terminal"] for each in journals], [each["journal"] for each in journals])
    return {(code, journal, sequence): Recorded(*use) for code, journal, sequence, *use in found}


def invariants(report: Report, held: Mapping[Key, Recorded]) -> list[Invariant]:
    """What must hold between a report and the database."""
    lost = _lost(report, held)
    return [
        Invariant("终端得到的答复都符合预期", "Every answer was the expected one", report["surprises"]),
        Invariant("已答复的用卡各记录一次，与答复一致", "Each answered use stands once, as answered", lost),
        Invariant("没有无人知晓的用卡", "Nothing is recorded that no terminal sent", _strange(report, held)),
        Invariant("退款各一次，与答复一致", "Each refund stands once, as answered", _refunds(report, held)),
        Invariant("钱包变动等于居民自己的计算", "Purses moved by what residents reckoned", _purses(report)),
        Invariant("每个应用项目都有人用成，依法除外的没有",
                  "Every item admitted somebody, those the law excludes nobody", _admitted(held)),
    ]  # fmt: skip


def _lost(report: Report, held: Mapping[Key, Recorded]) -> list[str]:
    against = []
    for use in report["uses"]:
        told = Recorded(*(use[name] for name in Recorded._fields))
        key = (use["terminal"], use["journal"], use["sequence"])
        if held.get(key) != told:
            against.append(f"{key[0]} {key[2]}: told {told}, held {held.get(key)}")
    ids = Counter(each.use for each in held.values())
    return against + [f"{use} is held {times} times" for use, times in ids.items() if times > 1]


def _strange(report: Report, held: Mapping[Key, Recorded]) -> list[str]:
    sent = {(each["terminal"], each["journal"], each["sequence"]) for each in (*report["uses"], *report["unanswered"])}
    return [f"{key[0]} {key[2]}: {use}" for key, use in held.items() if key not in sent]


def _refunds(report: Report, held: Mapping[Key, Recorded]) -> list[str]:
    told = {each["use"]: each["refund"] for each in report["refunds"]}
    found = dict(rows(REFUNDED, [each.use for each in held.values()]))
    return [f"{use}: told {told.get(use)}, held {found.get(use)}" for use in told.keys() | found.keys()
            if told.get(use) != found.get(use)]  # fmt: skip


def _purses(report: Report) -> list[str]:
    """What each use did to a purse by its holder's own reckoning, against the ledger. What was refunded did nothing."""
    reckoned = {each["use"]: each["purse_fen"] for each in report["uses"] if each["purse_fen"] is not None}
    refunded = {use for use, _ in rows(REFUNDED, list(reckoned))}
    wanted_fen = sum(fen for use, fen in reckoned.items() if use not in refunded)
    [(moved_fen,)] = rows(MOVED, list(reckoned))
    return [] if wanted_fen == moved_fen else [f"the residents say {wanted_fen} fen, the ledger {moved_fen}"]


def _admitted(held: Mapping[Key, Recorded]) -> list[str]:
    admitted = {each.item for each in held.values() if each.verdict == "ADMITTED"}
    return [f"{item.code}: {'somebody' if item.excluded else 'nobody'} was admitted" for item in items()
            if (item.code in admitted) == item.excluded]  # fmt: skip


def items() -> list[Named]:
    """The items that are offered somewhere today."""
    return [Named(*each) for each in rows(ITEMS, clock.today())]


def by_item(held: Mapping[Key, Recorded]) -> list[tuple[str, str, int, int]]:
    """(item, verdict, how many, paid in fen)."""
    count: Counter[tuple[str, str]] = Counter()
    paid_fen: Counter[tuple[str, str]] = Counter()
    for each in held.values():
        count[each.item, each.verdict] += 1
        paid_fen[each.item, each.verdict] += each.paid_fen
    return [
        (*key, count[key], paid_fen[key]) for key in sorted(count, key=lambda key: (key[0], key[1] != "ADMITTED", key))
    ]


def money(held: Mapping[Key, Recorded]) -> list[tuple[Any, ...]]:
    """(party zh, party en, role, ledger, moved this day, balance) of each account; purses together. Credit is plus."""
    return rows(MONEY, [each.use for each in held.values()])


def concessions(held: Mapping[Key, Recorded]) -> list[tuple[Any, ...]]:
    """(role of the funder's account, funder zh, funder en, item, concession, how many, fen) of the uses that were not
    given back. The concession is None where the operator lets off a part for a change or a day's cap.
    """
    return rows(CONCESSIONS, [each.use for each in held.values()])
