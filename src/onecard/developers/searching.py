"""Search over everything that the reference says: operations, their fields, verdicts, problems. In memory, a few
hundred lines.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from onecard.developers import reference
from onecard.developers.reference import Words

FOUND_MAX = 50


class Line(NamedTuple):
    """Something to be found: an operation, or a verdict or problem by its code; `text` is what is looked through."""

    kind: str
    interface: str
    name: str
    title: Words
    text: str


def find(sought: str) -> list[Line]:
    """What has every word in it, at most `FOUND_MAX` lines; first what is called so."""
    words = sought.lower().split()
    if not words:
        return []
    found = [line for line in _lines() if all(word in line.text for word in words)]
    return sorted(found, key=lambda line: not _is_called(line, words))[:FOUND_MAX]


def _is_called(line: Line, words: list[str]) -> bool:
    called = " ".join([line.name, *line.title.values()]).lower()
    return all(word in called for word in words)


@cache
def _lines() -> tuple[Line, ...]:
    return (*_operations(), *_verdicts(), *_problems())


def _operations() -> Iterator[Line]:
    for interface in reference.INTERFACES:
        for group in reference.groups(interface):
            for entry in group.entries:
                page = reference.page(interface, entry.name)
                fields = [*page.parameters, *page.body, *page.answer]
                told = [entry.path, *page.about.values(), page.scope, *(field.path for field in fields)]
                told += [word for field in fields for word in field.said.values()]
                yield Line("operation", interface, entry.name, entry.title, _text(entry.name, entry.title, *told))


def _verdicts() -> Iterator[Line]:
    for code, cause, step in reference.verdicts():
        yield Line("verdict", "gateway", code, cause, _text(code, cause, *step.values()))


def _problems() -> Iterator[Line]:
    for interface in reference.INTERFACES:
        for each in reference.refusals(interface):
            text = _text(each.code, each.cause, str(each.status), *each.next.values())
            yield Line("problem", interface, each.code, each.cause, text)


def _text(name: str, title: Words, *more: str) -> str:
    return " ".join([name, *title.values(), *more]).lower()
