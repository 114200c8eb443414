"""Every permission that a verb asks for is in a role that ships, and no role holds one that nothing asks for."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from tests.architecture.repository import SOURCE, name, text_of

from onecard.kernel.staff.roles import ROLES

KERNEL = sorted((SOURCE / "onecard/kernel").rglob("*.py"))
PAGES = [path for path in (SOURCE / "onecard/console").rglob("*") if path.suffix in (".py", ".html")]
# How a verb asks, and how a page does.
ASKING = {"require", "require_two"}
PAGE_ASKING = re.compile(r"""\b(?:needs|holds)\(["']([a-z_.]+)["']\)""")
HELD = {permission for role in ROLES for permission in role.permissions}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _values(text: ast.expr, within: ast.AST, module: ast.Module) -> set[str]:
    """The texts an expression can be: a literal, an f-string, or what a function's callers in its module pass."""
    if isinstance(text, ast.Constant):
        return {str(text.value)}
    if isinstance(text, ast.FormattedValue):
        return _values(text.value, within, module)
    if isinstance(text, ast.JoinedStr):
        return {"".join(parts) for parts in product(*(_values(part, within, module) for part in text.values))}
    assert isinstance(text, ast.Name), f"cannot tell what is asked for: {ast.unparse(text)}"
    if not isinstance(within, Function):  # an actor of its own kind, which passes on what it was asked
        return set()
    position = [argument.arg for argument in within.args.args].index(text.id)
    return {
        value
        for function, call in _calls_by_function(module)
        if _called(call) == within.name
        for value in _values(call.args[position], function, module)
    }


def _calls_by_function(module: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    for node in module.body:
        yield from ((node, call) for call in _calls(node))


def asked_for(source: str) -> set[str]:
    """Every permission that a module's functions ask for."""
    module = ast.parse(source)
    return {
        value
        for function, call in _calls_by_function(module)
        if _called(call) in ASKING and call.args
        for value in _values(call.args[0], function, module)
    }


def test_literals_f_strings_and_what_is_passed_on_are_found() -> None:
    source = (
        "def lock(actor):\n actor.require('cards.lock', 'x')\n"
        "def _may(actor, verb):\n actor.require(f'money.{verb}', 'x')\n"
        "def _do(actor, verb):\n _may(actor, verb)\n"
        "def pay(actor):\n _do(actor, 'pay')\n"
        "def owe(actor):\n _may(actor, 'owe')\n"
    )
    assert asked_for(source) == {"cards.lock", "money.pay", "money.owe"}


@pytest.mark.parametrize("path", [path for path in KERNEL if asked_for(text_of(path))], ids=name)
def test_every_permission_a_verb_asks_for_is_in_a_role(path: Path) -> None:
    assert asked_for(text_of(path)) - HELD == set()


def test_no_role_holds_a_permission_that_nothing_asks_for() -> None:
    asked = {permission for path in KERNEL for permission in asked_for(text_of(path))}
    asked |= {permission for path in PAGES for permission in PAGE_ASKING.findall(text_of(path))}
    assert HELD - asked == set()
