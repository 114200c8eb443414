"""The refusals that the code raises, found where they are made: code, status, words and next steps."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from onecard.api import errors as api_errors
from onecard.foundation import errors as foundation_errors
from onecard.foundation.errors import OneCardError
from onecard.gateway import errors as gateway_errors

HOMES = (gateway_errors, api_errors, foundation_errors)
Constants = dict[str, ast.expr]


class Refusal(NamedTuple):
    """One refusal, in both languages; next steps are empty where the code says none."""

    code: str
    status: int
    zh: str
    en: str
    next_zh: str
    next_en: str


def raised(path: Path) -> Iterator[Refusal]:
    """Each error that a file makes from literal words, or from constants of its own."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    known = _constants(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and len(node.args) >= 3:
            kind, code = _error_class(node.func), _resolved(node.args[0], known)
            if kind is not None and isinstance(code, ast.Constant):
                steps = dict(_keywords(node, known))
                words = (words_of(node.args[1]), words_of(node.args[2]))
                yield Refusal(str(code.value), kind.status, *words, steps.get("next_zh", ""), steps.get("next_en", ""))


def by_code(paths: tuple[Path, ...]) -> list[Refusal]:
    """What several files raise, each code once, by status and code."""
    every = [each for path in paths for each in raised(path)]
    found = {each.code: each for each in every} | {each.code: each for each in every if each.next_zh}
    return sorted(found.values(), key=lambda each: (each.status, each.code))


def words_of(node: ast.expr) -> str:
    """A literal text; what is filled in at run time is shown as …"""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


def _constants(module: ast.Module) -> Constants:
    """What the names of a module stand for."""
    return {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _resolved(node: ast.expr, known: Constants) -> ast.expr:
    return known.get(node.id, node) if isinstance(node, ast.Name) else node


def _keywords(call: ast.Call, known: Constants) -> Iterator[tuple[str, str]]:
    """The texts that are passed by name, one by one or as a dictionary of the module."""
    for keyword in call.keywords:
        value = _resolved(keyword.value, known)
        if keyword.arg is not None:
            yield keyword.arg, words_of(value)
        elif isinstance(value, ast.Dict):
            for name, said in zip(value.keys, value.values, strict=True):
                if isinstance(name, ast.Constant):
                    yield str(name.value), words_of(said)


def _error_class(called: ast.expr) -> type[OneCardError] | None:
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    kind = next((found for home in HOMES if (found := getattr(home, name, None)) is not None), None)
    return kind if isinstance(kind, type) and issubclass(kind, OneCardError) else None
