"""The life of a version (拟订 → 送审 → 发布 → 终止): submit, send back, publish, end.

Each of these takes an officer, so that there is always a person who answers for it: a file may come by the command
line, which is nobody. Who loaded or submitted a version does not publish it; the body that decided stands beside the
two.
"""

import datetime as dt

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotPermitted
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue import queries, rules, telling, words
from onecard.kernel.catalogue.models import Item, ItemVersion, Stage
from onecard_kit.terms import Decided, Level


def place_of(item: Item) -> str:
    """Where an item belongs: its division; a region's belongs to no one place."""
    return "" if item.level == Level.REGION else item.area


@transaction.atomic
def submit(actor: Actor, code: str, version: int) -> None:
    """Put a draft up for review. Repeating it changes nothing.

    Raises Conflict STAGE_WRONG, NotPermitted OFFICER_NEEDED.
    """
    row = _locked_for(actor, "submit", code, version)
    if row.stage == Stage.REVIEW:
        return
    _expect(row, Stage.DRAFT)
    put_up(actor, row)


def put_up(actor: Actor, row: ItemVersion) -> None:
    """What submitting a draft does once it is clear who may. The version's item is locked."""
    _move(actor, row, Stage.REVIEW, "catalogue.submit", submitted_by=actor.name)


@transaction.atomic
def send_back(actor: Actor, code: str, version: int, reason: str) -> None:
    """Make a version in review a draft again, which may be loaded anew.

    Raises Conflict STAGE_WRONG, NotPermitted OFFICER_NEEDED, BadInput REASON_MISSING.
    """
    row = _locked_for(actor, "send_back", code, version)
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    _expect(row, Stage.REVIEW)
    _move(actor, row, Stage.DRAFT, "catalogue.send_back", reason=reason)


@transaction.atomic
def publish(actor: Actor, code: str, version: int, decided: Decided | None = None) -> None:
    """Publish a version in review: it is in force on its days from this commit on. Repeating it changes nothing.

    `decided` says who put it on the list and when, where its file does not. An open version before it ends where it
    begins. Raises NotPermitted OFFICER_NEEDED, MAKER_IS_CHECKER; Conflict STAGE_WRONG, IN_THE_PAST, VERSIONS_OVERLAP,
    UPPER_UNPUBLISHED, OFFER_…; BadInput UNDECIDED, DECIDED_IN_FUTURE.
    """
    row = _locked_for(actor, "publish", code, version)
    if row.stage == Stage.PUBLISHED:
        return
    _expect(row, Stage.REVIEW)
    if actor.name in (row.loaded_by, row.submitted_by):
        raise NotPermitted(
            "MAKER_IS_CHECKER",
            "装载、送审的人不能自己发布。",
            "Who loaded or submitted a version cannot publish it.",
            next_zh="请由另一位有此权限的工作人员发布。",
            next_en="Have another officer with this permission publish it.",
        )
    put_in_force(actor, row, decided)


def put_in_force(actor: Actor, row: ItemVersion, decided: Decided | None = None) -> None:
    """What publishing does once it is clear who may. The version's item is locked."""
    _decide(row, decided)
    _make_way(row)
    if row.item.extends_id and not _was_published(row.item.extends_id):
        raise Conflict(
            "UPPER_UNPUBLISHED",
            f"所拓展的上级项目 {row.item.extends_id} 尚未发布。",
            f"{row.item.extends_id}, which it extends, was never published.",
            next_zh="请先发布上级项目。",
            next_en="Publish that one first.",
        )
    told = queries.offers_lacking(queries.declared(row))
    if told:
        raise told[0].error()
    _move(
        actor,
        row,
        Stage.PUBLISHED,
        "catalogue.publish",
        published_by=actor.name,
        published_at=clock.now(),
        decided_by_zh=row.decided_by_zh,
        decided_by_en=row.decided_by_en,
        decided_on=row.decided_on,
    )
    telling.published(row)


def _decide(row: ItemVersion, decided: Decided | None) -> None:
    if decided is not None:
        row.decided_by_zh, row.decided_by_en, row.decided_on = decided.by.zh, decided.by.en, decided.on
    if not row.decided_by_zh or row.decided_on is None:
        raise BadInput(
            "UNDECIDED",
            f"{row} 未写明由谁、何日决定列入清单。",
            f"{row} does not say who decided it, and on which day.",
            next_zh="请在文件中写明 decided，或发布时填写。",
            next_en="Write decided in its file, or give it when publishing.",
        )
    if row.decided_on > clock.today():
        raise BadInput("DECIDED_IN_FUTURE", "决定日期不能晚于今天。", "It cannot have been decided after today.")


def _make_way(row: ItemVersion) -> None:
    """End the open version before this one where this one begins; refuse any other shared day."""
    others = list(ItemVersion.objects.filter(item_id=row.item_id, stage__in=queries.EVER_PUBLISHED).exclude(pk=row.pk))
    new = rules.Span(row.version, row.starts_on, row.ends_on)
    spans = {rules.Span(each.version, each.starts_on, each.ends_on, fixed=True): each for each in others}
    clash = rules.overlapping(new, spans)
    if clash is not None:
        raise Conflict(
            "VERSIONS_OVERLAP",
            f"{row} 与第 {clash.version} 版的有效期重叠。",
            f"{row} overlaps version {clash.version}.",
            next_zh="请调整 starts_on 或 ends_on。",
            next_en="Change starts_on or ends_on.",
        )
    for span, other in spans.items():
        if span.ends_on is None and span.starts_on < row.starts_on:
            _end(other, row.starts_on)


def _end(row: ItemVersion, day: dt.date) -> dt.date:
    """Set the first day without a published version, which is not in the past; the day that was set."""
    if day < clock.today():
        raise Conflict(
            "IN_THE_PAST",
            f"{row} 不能在过去的日期 {day} 终止：当天的用卡已按它办理。",
            f"{row} cannot end on {day}, in the past: uses were decided by it.",
            next_zh="请选择今天或以后的日期。",
            next_en="Choose today or later.",
        )
    ends_on = row.ends_on = max(day, row.starts_on)
    row.save(update_fields=["ends_on"])
    return ends_on


@transaction.atomic
def end(actor: Actor, code: str, version: int, day: dt.date, reason: str) -> None:
    """Take a published version out of force from a day, today or later; one that has not begun never begins.

    Raises Conflict STAGE_WRONG, ENDS_EARLIER, IN_THE_PAST; NotPermitted OFFICER_NEEDED; BadInput REASON_MISSING.
    """
    row = _locked_for(actor, "end", code, version)
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    if row.stage in queries.EVER_PUBLISHED and row.ends_on == day:
        return
    _expect(row, Stage.PUBLISHED)
    if row.ends_on is not None and row.ends_on < day:
        raise Conflict("ENDS_EARLIER", f"{row} 已定于 {row.ends_on} 终止。", f"{row} ends on {row.ends_on} already.")
    ends_on = _end(row, day)
    detail = {"version": row.version, "ends_on": ends_on.isoformat()}
    audit.record(actor, "catalogue.end", f"item:{code}", place=place_of(row.item), reason=reason, detail=detail)
    if ends_on <= clock.today():
        _set_stage(row, Stage.ENDED)


@transaction.atomic
def end_due(actor: Actor) -> int:
    """Mark the versions whose last day has passed as ended; how many. What is in force is told by the days alone."""
    actor.require("catalogue.end")
    due = ItemVersion.objects.filter(stage=Stage.PUBLISHED, ends_on__lte=clock.today())
    return due.update(stage=Stage.ENDED)


# --- Shared -----------------------------------------------------------------------------------------------------------


def _locked_for(actor: Actor, verb: str, code: str, version: int) -> ItemVersion:
    """A version that an officer may do this to, its item locked first: whoever loads or moves one of its versions waits
    for the other.

    Not against references to the item, which are checked when who makes them holds the catalogue's revision already.
    """
    Item.objects.select_for_update(no_key=True).filter(pk=code).first()
    row = queries.version(code, version)
    actor.require(f"catalogue.{verb}", place_of(row.item))
    if not actor.is_officer:
        raise NotPermitted(
            "OFFICER_NEEDED",
            "送审、退回、发布和终止须由工作人员本人办理，命令行不代表任何人。",
            "An officer submits, sends back, publishes or ends a version; the command line by itself is nobody.",
            next_zh="请加 --officer 用户名 重新办理。",
            next_en="Do it again with --officer USERNAME.",
        )
    return row


def _expect(row: ItemVersion, stage: Stage) -> None:
    if row.stage != stage:
        told = words.STAGES[Stage(row.stage)]
        raise Conflict(
            "STAGE_WRONG",
            f"{row} 现为“{told['zh']}”，不能这样办理。",
            f"{row} is {told['en']}; that cannot be done to it now.",
            next_zh="请先查看该项目各版本的现状。",
            next_en="Look first at where the item's versions stand.",
        )


def _was_published(code: str) -> bool:
    return ItemVersion.objects.filter(item_id=code, stage__in=queries.EVER_PUBLISHED).exists()


def _move(actor: Actor, row: ItemVersion, stage: Stage, verb: str, reason: str = "", **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    _set_stage(row, stage, *values)
    detail = {"version": row.version, "digest": bytes(row.digest).hex()}
    if row.decided_on is not None and stage == Stage.PUBLISHED:
        detail["decided_on"] = row.decided_on.isoformat()
    audit.record(actor, verb, f"item:{row.item_id}", place=place_of(row.item), reason=reason, detail=detail)


def _set_stage(row: ItemVersion, stage: Stage, *fields: str) -> None:
    row.stage = stage
    row.save(update_fields=["stage", *fields])
