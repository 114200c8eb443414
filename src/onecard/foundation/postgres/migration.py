"""Migrations whose statements are plain SQL in a file of the same name beside them."""

from pathlib import Path

from django.db.migrations import RunSQL


def sql_beside(migration_file: str) -> RunSQL:
    """The operation that runs `<migration>.sql`.

    The text goes to the server whole: Django would otherwise split it at semicolons, also inside function bodies.
    There is no way back: a column of facts is not dropped by a down-migration.
    """
    return RunSQL([Path(migration_file).with_suffix(".sql").read_text(encoding="utf-8")])
