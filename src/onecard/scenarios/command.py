"""`onecard catalogue load [folder]`: store the item versions that are new."""

import argparse
from pathlib import Path

from onecard.foundation.actors import system
from onecard.foundation.terminal import say
from onecard.kernel.catalogue import actions
from onecard.scenarios import FOLDER


def run(arguments: argparse.Namespace) -> int:
    """Load the folder's items (default: those of the product). All or nothing; loading them again changes nothing."""
    folder: Path = arguments.folder or FOLDER
    loaded = actions.load_items(system("operator"), actions.read_items(folder))
    for code in loaded.new:
        say(f"已装载 {code}", f"loaded {code}")
    say(
        f"新增 {len(loaded.new)} 个版本，{len(loaded.unchanged)} 个未变。",
        f"{len(loaded.new)} new, {len(loaded.unchanged)} unchanged.",
    )
    return 0
