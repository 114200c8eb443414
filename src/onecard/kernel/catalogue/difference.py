"""What changed between two declarations, key by key, for people to read before they decide."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Plain = Mapping[str, Any]


class Change(NamedTuple):
    """One key: as it was and as it is, None where it was not or is no more."""

    path: str
    before: object
    after: object


def changes(before: Plain, after: Plain) -> list[Change]:
    """The keys that differ, in the order of the new declaration; what is gone comes last. Values left empty are as
    good as not there.
    """
    was, now = dict(_flat("", before)), dict(_flat("", after))
    paths = [*now, *(path for path in was if path not in now)]
    return [Change(path, was.get(path), now.get(path)) for path in paths if was.get(path) != now.get(path)]


def words(change: Change) -> tuple[str, str]:
    """A change in one line, in Chinese and in English."""
    if change.before is None:
        return f"＋ {change.path}：{change.after}", f"+ {change.path}: {change.after}"
    if change.after is None:
        return f"－ {change.path}：{change.before}", f"- {change.path}: {change.before}"
    return (
        f"～ {change.path}：{change.before} → {change.after}",
        f"~ {change.path}: {change.before} -> {change.after}",
    )


def _flat(path: str, value: object) -> list[tuple[str, object]]:
    """(path, value) of every leaf: `price.full_fen`, `concession[senior_70].quota.count`, `steps[0].zh`."""
    if isinstance(value, Mapping):
        return [leaf for key, each in value.items() for leaf in _flat(f"{path}.{key}" if path else key, each)]
    if isinstance(value, list | tuple):
        if all(not isinstance(each, Mapping) for each in value):
            return [(path, ", ".join(_text(each) for each in value))] if value else []
        names = [_name(n, each) for n, each in enumerate(value)]
        order = [] if all(name.isdecimal() for name in names) else [(path, ", ".join(names))]
        return [
            *order,
            *(leaf for name, each in zip(names, value, strict=True) for leaf in _flat(f"{path}[{name}]", each)),
        ]
    return [] if value is None or value == "" else [(path, value)]


def _text(value: object) -> str:
    """A plain value in a list, whether it comes from a file or from the database: ``06:00 18:30`` of a pair."""
    return " ".join(_text(each) for each in value) if isinstance(value, list | tuple) else str(value)


def _name(n: int, member: object) -> str:
    """What a member of a list is called: by its own name where it has one, so that moving it changes the order only."""
    if isinstance(member, Mapping):
        return str(member.get("key") or member.get("code") or n)
    return str(n)
