"""`onecard catalogue …` and `onecard terminals pair`: what an officer does with the catalogue from a terminal.

`--officer NAME` acts as an officer who gives their password and the code of their authenticator. Without it the command
line itself acts, which may load but is nobody: to submit and to publish takes two officers.
"""

import argparse
import datetime as dt
import json

import msgspec

from onecard.foundation import clock
from onecard.foundation.actors import system
from onecard.foundation.errors import BadInput
from onecard.foundation.terminal import say, speaks_chinese
from onecard.kernel.catalogue import actions, difference, publishing, queries, words
from onecard.kernel.catalogue.models import ItemVersion, Stage
from onecard.kernel.staff.command import acting
from onecard_kit.terms import Bilingual, Decided, Level, When


def pair(arguments: argparse.Namespace) -> int:
    """The code goes to standard output alone, so that a script can take it."""
    code = actions.make_pairing_code(system("operator"), arguments.code)
    say("配对码 24 小时内有效，只能使用一次：", "A pairing code, good once and for 24 hours:")
    print(code)
    return 0


def show_list(arguments: argparse.Namespace) -> int:
    """One line an item of a place's list on a day: code, version, level, name."""
    filters = queries.Filters(arguments.field, arguments.level, arguments.kind, arguments.text)
    after, shown = "", 0
    while page := queries.list_of(arguments.place, arguments.day or clock.today(), filters, after=after):
        for row in page:
            print(_line(row))
        after, shown = page[-1].item_id, shown + len(page)
    say(f"{shown} 项。", f"{shown} items.")
    return 0


def _line(row: ItemVersion) -> str:
    name = row.declaration["name"]
    level = words.LEVELS[Level(row.item.level)]
    told = (level["zh"], name["zh"]) if speaks_chinese() else (level["en"], name["en"])
    return "\t".join((row.item_id, str(row.version), *told))


def history(arguments: argparse.Namespace) -> int:
    """One line a version, the newest first: number, stage, days, who decided and when."""
    for row in queries.versions_of(arguments.code):
        stage = words.STAGES[Stage(row.stage)]
        said = (stage["zh"], row.decided_by_zh) if speaks_chinese() else (stage["en"], row.decided_by_en)
        days = f"{row.starts_on} – {row.ends_on or ''}".rstrip()
        print("\t".join((str(row.version), said[0], days, said[1], str(row.decided_on or ""))))
    return 0


def show_difference(arguments: argparse.Namespace) -> int:
    """How a version differs from another (default: the one before it), key by key."""
    new = queries.version(arguments.code, arguments.version)
    before = arguments.compared_with
    if before is None:
        older = queries.versions_of(arguments.code, before=arguments.version, limit=1)
        before = older[0].version if older else None
    was = queries.plain(queries.version(arguments.code, before)) if before is not None else {}
    for change in difference.changes(was, queries.plain(new)):
        print(difference.words(change)[0 if speaks_chinese() else 1])
    return 0


def submit(arguments: argparse.Namespace) -> int:
    """Put a draft up for review."""
    publishing.submit(acting(arguments), arguments.code, arguments.version)
    say(f"{arguments.code} 第 {arguments.version} 版已送审。", f"{arguments.code}@{arguments.version} is in review.")
    return 0


def send_back(arguments: argparse.Namespace) -> int:
    """Make a version in review a draft again."""
    publishing.send_back(acting(arguments), arguments.code, arguments.version, arguments.reason)
    say(
        f"{arguments.code} 第 {arguments.version} 版已退回。", f"{arguments.code}@{arguments.version} is a draft again."
    )
    return 0


def publish(arguments: argparse.Namespace) -> int:
    """Publish a version in review, decided as its file or `--decided` says."""
    publishing.publish(acting(arguments), arguments.code, arguments.version, _decided(arguments))
    say(f"{arguments.code} 第 {arguments.version} 版已发布。", f"{arguments.code}@{arguments.version} is published.")
    return 0


def end(arguments: argparse.Namespace) -> int:
    """Take a published version out of force from a day."""
    publishing.end(acting(arguments), arguments.code, arguments.version, arguments.day, arguments.reason)
    say(
        f"{arguments.code} 第 {arguments.version} 版自 {arguments.day} 起终止。",
        f"{arguments.code}@{arguments.version} ends on {arguments.day}.",
    )
    return 0


def offer(arguments: argparse.Namespace) -> int:
    """Have a point offer an item."""
    actions.offer(acting(arguments), arguments.point, arguments.code, capacity_count=arguments.capacity)
    say(f"{arguments.point} 已开通 {arguments.code}。", f"{arguments.point} offers {arguments.code}.")
    return 0


def stop_offering(arguments: argparse.Namespace) -> int:
    """Have a point offer an item no more."""
    actions.stop_offering(acting(arguments), arguments.point, arguments.code, arguments.reason)
    say(f"{arguments.point} 已停办 {arguments.code}。", f"{arguments.point} no longer offers {arguments.code}.")
    return 0


def set_hours(arguments: argparse.Namespace) -> int:
    """Say when a point is open, as ``[{"days": ["working"], "hours": [["08:00", "17:00"]]}]``."""
    try:
        hours = msgspec.json.decode(arguments.hours, type=tuple[When, ...], strict=True)
    except msgspec.MsgspecError as error:
        raise BadInput("HOURS_MALFORMED", f"开放时间有误：{error}", f"Hours: {error}") from None
    actions.set_hours(acting(arguments), arguments.point, hours)
    say(f"{arguments.point} 的开放时间已设定。", f"The hours of {arguments.point} are set.")
    return 0


def set_position(arguments: argparse.Namespace) -> int:
    """Say where a point stands on the map; without degrees it is nowhere."""
    degrees = arguments.degrees
    if degrees and len(degrees) != 2:
        raise BadInput("POSITION_MALFORMED", "请给出纬度和经度。", "Give a latitude and a longitude.")
    actions.set_position(acting(arguments), arguments.point, (degrees[0], degrees[1]) if degrees else None)
    say(f"{arguments.point} 的位置已设定。", f"The position of {arguments.point} is set.")
    return 0


def count_demonstration_points(arguments: argparse.Namespace) -> int:
    """One JSON object: how many demonstration points each county has, by division."""
    print(json.dumps(queries.count_demonstration_points((arguments.place,))))
    return 0


def _decided(arguments: argparse.Namespace) -> Decided | None:
    if arguments.decided is None:
        return None
    zh, en, day = arguments.decided
    try:
        return Decided(by=Bilingual(zh=zh, en=en), on=dt.date.fromisoformat(day))
    except ValueError:
        raise BadInput("DAY_MALFORMED", f"{day} 不是日期。", f"{day} is no day; expected YYYY-MM-DD.") from None
