"""What an officer may do with an item and its versions: each step in words, whether they may take it now, and what it
calls.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotFound
from onecard.kernel.catalogue import actions, publishing
from onecard.kernel.catalogue.models import Item, ItemVersion, Stage, State
from onecard.kernel.staff.queries import StaffActor
from onecard_kit.terms import Bilingual, Decided

Words = dict[str, str]
Given = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A step of a version, from one stage, or of an item, from one state: in words, and what it does. `run` takes the
    officer, the item's code, the version (0 for the item's own) and what the form holds.
    """

    code: str
    permission: str
    at: Stage | State
    name: Words
    does: Words
    run: Callable[[Actor, str, int, Given], None]
    icon: str = "check"
    danger: bool = False


@dataclass(frozen=True)
class Offered:
    """A step and, where it cannot be taken by this officer now, why not."""

    step: Step
    why: Words | None


def _publish(actor: Actor, code: str, version: int, given: Given) -> None:
    publishing.publish(actor, code, version, _decided(given))


def _decided(given: Given) -> Decided | None:
    """Who decided, where the form asks for it; None: as the file says."""
    if "decided_on" not in given:
        return None
    day: dt.date = given["decided_on"]
    return Decided(by=Bilingual(zh=given["decided_zh"], en=given["decided_en"]), on=day)


OF_VERSIONS = (
    Step(
        "submit",
        "catalogue.submit",
        Stage.DRAFT,
        {"zh": "送审", "en": "Submit for review"},
        {
            "zh": "送审后内容不能再改。由另一位工作人员发布，或退回修改。",
            "en": "From then on its content does not change. Another officer publishes it, or it is sent back.",
        },
        lambda actor, code, version, given: publishing.submit(actor, code, version),
        icon="upload",
    ),
    Step(
        "publish",
        "catalogue.publish",
        Stage.REVIEW,
        {"zh": "发布", "en": "Publish"},
        {
            "zh": "按生效日期对居民公开并生效。发布后内容不能再改，只能终止；之前没有终止日期的版本到这一天为止。",
            "en": "It is public, and in force on its days. It does not change any more, it can only be ended; an open"
            " version before it ends where it begins.",
        },
        _publish,
    ),
    Step(
        "send-back",
        "catalogue.send_back",
        Stage.REVIEW,
        {"zh": "退回修改", "en": "Send back to draft"},
        {"zh": "退回为拟订，可以修改后重新上传、送审。", "en": "It is a draft again and may be uploaded anew."},
        lambda actor, code, version, given: publishing.send_back(actor, code, version, given["reason"]),
        icon="arrow-left",
    ),
    Step(
        "end",
        "catalogue.end",
        Stage.PUBLISHED,
        {"zh": "终止", "en": "End"},
        {
            "zh": "从所填的日期起不再生效，不能恢复；之前的用卡不受影响。",
            "en": "From that day on it is out of force, for good; uses before it stand.",
        },
        lambda actor, code, version, given: publishing.end(actor, code, version, given["day"], given["reason"]),
        icon="x",
        danger=True,
    ),
)
OF_ITEMS = (
    Step(
        "suspend",
        "catalogue.suspend",
        State.ACTIVE,
        {"zh": "暂停办理", "en": "Suspend"},
        {
            "zh": "各用卡点从下一笔起拒绝办理，公开清单不再列出；离线闸机在下次取数后生效。",
            "en": "Every point refuses it from the next use on, and the public list leaves it out; gates without a"
            " line follow when they next fetch.",
        },
        lambda actor, code, version, given: actions.suspend(actor, "item", code, given["reason"]),
        icon="lock",
        danger=True,
    ),
    Step(
        "resume",
        "catalogue.resume",
        State.SUSPENDED,
        {"zh": "恢复办理", "en": "Resume"},
        {"zh": "恢复后立即可以用卡。", "en": "Cards may be used for it again at once."},
        lambda actor, code, version, given: actions.resume(actor, "item", code, given["reason"]),
        icon="lock-open",
    ),
)
BY_CODE = {step.code: step for step in (*OF_VERSIONS, *OF_ITEMS)}


def of_code(code: str) -> Step:
    """The step of a code in an address. Raises NotFound STEP_UNKNOWN."""
    if code not in BY_CODE:
        raise NotFound("STEP_UNKNOWN", "没有这种操作。", "There is no such step.")
    return BY_CODE[code]


def of_version(actor: StaffActor, item: Item, row: ItemVersion) -> list[Offered]:
    """The steps from the stage of a version, and what keeps this officer from each."""
    place = publishing.place_of(item)
    return [Offered(step, _why_not(actor, step, place, row)) for step in OF_VERSIONS if step.at == row.stage]


def of_item(actor: StaffActor, item: Item) -> list[Offered]:
    """As `of_version`. An item stops in every place, so it takes a role that holds everywhere."""
    return [Offered(step, _lacking(actor, step, "")) for step in OF_ITEMS if step.at == item.state]


def _why_not(actor: StaffActor, step: Step, place: str, row: ItemVersion) -> Words | None:
    if lacking := _lacking(actor, step, place):
        return lacking
    if step.code == "publish" and actor.name in (row.loaded_by, row.submitted_by):
        return {
            "zh": "您装载或送审了这一版，不能自己发布，须由另一位有此权限的工作人员发布。",
            "en": "You loaded or submitted this version, so you cannot publish it: another officer has to.",
        }
    return None


def _lacking(actor: StaffActor, step: Step, place: str) -> Words | None:
    if actor.reaches(step.permission, place):
        return None
    return {
        "zh": f"需要“{step.permission}”权限，您在该项目所在的清单上没有。",
        "en": f"It takes the permission {step.permission} where the item's list is, which you lack.",
    }


def not_now(step: Step, stands: Words) -> Words:
    """That a version or an item stands otherwise by now."""
    return {
        "zh": f"现为“{stands['zh']}”，不能{step.name['zh']}。",
        "en": f"It is {stands['en'].lower()} now, so this cannot be done.",
    }
