"""Hot statements live in `sql/*.sql` beside their primitive, with positional parameters, so that both drivers run
them."""

from functools import cache
from importlib import resources


@cache
def load(package: str, name: str) -> str:
    """The text of `<package>/sql/<name>.sql`, e.g. ``load("onecard.kernel.uses", "lock_cards")``."""
    return resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
