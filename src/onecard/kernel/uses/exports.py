"""Lists of uses to take along (导出): asked for by an officer, written by a job a part at a time, fetched once done.

A part and how far it went are one transaction, so a job that was killed goes on where it stood. A list holds no person,
no card and no holder; it expires after a day.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from onecard.foundation import clock, jobs, sql
from onecard.foundation.actors import Actor
from onecard.foundation.clock import CHINA
from onecard.foundation.exports import KEPT_HOURS, PART, ROWS_MAX, Exports, State, lines
from onecard.foundation.ids import moment_of, uuid7
from onecard.foundation.money import yuan
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.uses import listing
from onecard.kernel.uses.listing import NEWEST, Line, Listed, Wanted
from onecard_kit.verdicts import WORDS, Verdict

HERE = "onecard.kernel.uses"
PERMISSION = "uses.export"
HEADS = {
    "zh": ("用卡编号", "时间", "应用项目", "项目代码", "用卡点", "用卡点代码", "地区", "终端", "出示方式", "结果",
           "结果代码", "全价（元）", "实付（元）", "运营单位承担（元）", "优惠", "已退回", "离线",
           "重复使用", "与平台判定不同"),
    "en": ("use", "time", "item", "item code", "point", "point code", "division", "terminal", "medium", "verdict",
           "verdict code", "full price (yuan)", "paid (yuan)", "borne by operator (yuan)", "concession", "given back",
           "offline", "used twice", "differs from the platform"),
}  # fmt: skip


class Export(NamedTuple):
    """A list that was asked for. `percent` is how much of the time that it covers is written."""

    id: UUID
    actor: str
    places: list[str]
    wanted: Wanted
    language: str
    asked_at: dt.datetime
    expires_at: dt.datetime
    state: State
    position: UUID | None
    parts: int
    uses: int
    percent: int

    @property
    def is_open(self) -> bool:
        return self.state.is_open


@transaction.atomic
def ask(actor: Actor, places: Sequence[str], wanted: Wanted, language: str) -> UUID:
    """Ask for a list of the uses of some places; its id. `language` is ``zh`` or ``en``.

    Needs uses.export in each of the places. Raises Conflict EXPORTS_OPEN where the officer has three under way.
    """
    EXPORTS.require(actor, places)
    EXPORTS.refuse_one_more(actor)
    id_ = uuid7()
    expires = clock.now() + dt.timedelta(hours=KEPT_HOURS)
    rows(sql.load(HERE, "ask_export"), id_, actor.name, list(places), _json(wanted), language, expires)
    audit.record(actor, "uses.export", f"export:{id_}", detail={"wanted": json.loads(_json(wanted))})
    jobs.queue("uses.export", export=str(id_))
    return id_


def content(actor: Actor, export: Export) -> Iterator[bytes]:
    """The list as a CSV file, a part at a time (UTF-8 with a byte-order mark); see `Exports.content`."""
    return EXPORTS.content(actor, export, HEADS[export.language])


# --- The job ----------------------------------------------------------------------------------------------------------


def write(export_id: UUID) -> int:
    """Write what is left of a list; how many uses it holds then."""
    while (export := EXPORTS.load(export_id)) is not None and export.is_open:
        _write_part(export)
    return export.uses if export is not None else 0


@transaction.atomic
def _write_part(export: Export) -> None:
    left = min(PART, ROWS_MAX - export.uses)
    found = listing.page(export.places, export.wanted, before=export.position, limit=left)
    uses = export.uses + len(found.uses)
    done = found.next is None or uses >= ROWS_MAX
    if found.uses:
        text = lines(_row(use, export.language) for use in found.uses)
        EXPORTS.keep(export, text)
    rows(
        sql.load(HERE, "move_export"),
        export.id,
        found.next,
        export.parts + bool(found.uses),
        uses,
        100 if done else _percent(export, found.next or NEWEST),
        State.DONE.value if done else State.RUNNING.value,
    )


def _percent(export: Export, position: UUID) -> int:
    """How much of the time from the list's end back to its beginning is behind it; without a first day, of a year."""
    begin, end = export.wanted.bounds
    last = min(moment_of(end), export.asked_at) if end != NEWEST else export.asked_at
    first = moment_of(begin) if begin != listing.OLDEST else last - dt.timedelta(days=365)
    whole = (last - first).total_seconds()
    return max(0, min(99, int(100 * (last - moment_of(position)).total_seconds() / whole))) if whole > 0 else 99


def _row(use: Listed, language: str) -> list[object]:
    yes = {"zh": "是", "en": "yes"}[language]
    english = language == "en"
    verdict = WORDS[Verdict(use.verdict)]
    return [
        use.id,
        use.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"),
        (use.item_en if english else "") or use.item_zh,
        use.item,
        (use.point_en if english else "") or use.point_zh,
        use.point,
        use.division,
        use.terminal,
        use.medium,
        verdict.en if english else verdict.zh,
        use.verdict,
        yuan(use.full_fen),
        yuan(use.paid_fen),
        yuan(use.waived_fen),
        use.concession,
        *(yes if each else "" for each in (use.refunded, use.gate_verdict, use.double, use.differs)),
    ]


def _json(wanted: Wanted) -> str:
    days = {name: day.isoformat() if day else None for name, day in (("from", wanted.from_day), ("to", wanted.to_day))}
    told = {**days, "point": wanted.point, "item": wanted.item, "verdict": wanted.verdict, "line": wanted.line.value}
    return json.dumps({name: value for name, value in told.items() if value})


def _wanted(told: dict[str, str]) -> Wanted:
    first, last = (dt.date.fromisoformat(told[name]) if name in told else None for name in ("from", "to"))
    point, item, verdict = (told.get(name, "") for name in ("point", "item", "verdict"))
    return Wanted(first, last, point, item, verdict, Line(told.get("line", "")))


def _export(row: tuple[Any, ...]) -> Export:
    id_, actor, places, wanted, language, asked_at, expires_at, state, *rest = row
    return Export(id_, actor, places, _wanted(json.loads(wanted)), language, asked_at, expires_at, State(state), *rest)


EXPORTS = Exports(HERE, "uses.export", _export)
of_actor, one, stop, drop_expired = EXPORTS.of_actor, EXPORTS.one, EXPORTS.stop, EXPORTS.drop_expired
