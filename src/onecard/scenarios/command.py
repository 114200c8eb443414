"""`onecard catalogue load [folder] [--dry-run] [--publish] [--officer NAME]`: store the item versions that are new, and
the kinds of risk that changed."""

import argparse
from pathlib import Path

from django.db import transaction

from onecard.foundation.terminal import say
from onecard.kernel.audit import risk_files, risks
from onecard.kernel.catalogue import difference, files, loading
from onecard.kernel.staff.command import acting
from onecard.scenarios import FOLDER


def run(arguments: argparse.Namespace) -> int:
    """Load the folder's items (default: those of the product). All or nothing; loading them again changes nothing."""
    folder: Path = arguments.folder or FOLDER
    read, declared, actor = files.read(folder), risk_files.read(folder), acting(arguments)
    with transaction.atomic():
        loaded = loading.load(actor, read, dry_run=arguments.dry_run, publish=arguments.publish)
        kinds = risks.declare(actor, declared, dry_run=arguments.dry_run)
    for kind in kinds:
        say(f"风险种类 {kind}", f"risk kind {kind}")
    for entry in loaded.registers:
        say(f"登记 {entry}", f"registers {entry}")
    for each in loaded.differences:
        _tell(each, with_keys=arguments.dry_run or each.compared_with is not None)
    say(
        f"新增 {len(loaded.new)} 个版本，修改 {len(loaded.changed)} 个草案，{len(loaded.unchanged)} 个未变，"
        f"发布 {len(loaded.published)} 个。",
        f"{len(loaded.new)} new, {len(loaded.changed)} drafts changed, {len(loaded.unchanged)} unchanged, "
        f"{len(loaded.published)} published.",
    )
    if arguments.dry_run:
        say("仅为试运行，目录未作任何改动。", "This was a dry run: nothing was changed.")
    return 0


def _tell(told: loading.Difference, *, with_keys: bool) -> None:
    """A version, and its keys against what it is compared with; of a new item they are told in a dry run only."""
    if told.compared_with is None:
        say(f"{told.version}：新项目", f"{told.version}: a new item")
    else:
        say(f"{told.version}：与 {told.compared_with} 相比", f"{told.version}: compared with {told.compared_with}")
    for change in told.changes if with_keys else ():
        zh, en = difference.words(change)
        say(f"  {zh}", f"  {en}")
