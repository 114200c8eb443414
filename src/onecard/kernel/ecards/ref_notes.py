"""Notes of the keys behind refs (`refs`), kept beside the keyrings: which were made, for which database, and from which
day on. They hold no key.

A database that was restored to before a key was made knows nothing of it, and would read the refs of its days under the
key before: they then name nobody, or somebody else. The note tells of it (`missing`).
"""

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import msgspec

from onecard.foundation import key_files
from onecard.foundation.errors import Conflict

_NAME = "refs-{database}-{from_day}-{id}.json"


class RefNote(msgspec.Struct, frozen=True):
    """A key behind refs: its id in `database`, and its first day."""

    database: str
    id: int
    from_day: dt.date


def keep(note: RefNote) -> None:
    """Keep a note of a key that stands in the database now. Where the ring ``codes`` is in no folder, there is none.

    Raises Unavailable KEYS_NOT_WRITABLE.
    """
    folder = _folder()
    if folder is not None:
        key_files.add_note(folder / _NAME.format(**msgspec.structs.asdict(note)), msgspec.json.encode(note).decode())


def missing(database: str, known: Collection[tuple[int, dt.date]]) -> list[RefNote]:
    """The keys that were made for a database and that it does not have; `known` are (id, first day) of those it has."""
    folder = _folder()
    found = folder.glob(_NAME.format(database=database, from_day="*", id="*")) if folder is not None else ()
    made = [msgspec.json.decode(path.read_bytes(), type=RefNote) for path in sorted(found)]
    return [each for each in made if (each.id, each.from_day) not in known]


def _folder() -> Path | None:
    try:
        return key_files.folder_of("codes")
    except Conflict:
        return None
