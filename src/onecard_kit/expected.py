"""What was expected where a declaration is at fault, in both languages."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Expected(NamedTuple):
    """A part of a sentence that says what would have been right."""

    zh: str
    en: str


IN_BOTH_LANGUAGES = Expected("中英文都要填写", "expected words in both languages")


def between(least: int, most: int, zh: str = "", en: str = "") -> Expected:
    """A whole number within bounds; `zh` and `en` are what is to be said besides."""
    return Expected(f"应为 {least} 至 {most}{zh}", f"expected {least} to {most}{en}")


def one_of(names: Iterable[str], zh: str = "", en: str = "") -> Expected:
    """One of some names."""
    told = ", ".join(names)
    return Expected(f"应为其中之一：{told}{zh}", f"expected one of {told}{en}")


def exactly_one_of(names: Iterable[str]) -> Expected:
    """One of some keys, without the others."""
    told = ", ".join(names)
    return Expected(f"应恰好填写其中一项：{told}", f"expected exactly one of {told}")


def not_before(zh: str, en: str, name: str) -> Expected:
    """A name that stands once; `zh` and `en` say of what kind."""
    return Expected(f"{zh} {name} 重复，应另取", f"expected a {en} not declared before: {name}")


_TYPES = {
    "int": "整数", "float": "数", "str": "文本", "bool": "true 或 false", "array": "数组", "object": "表",
    "date": "日期", "datetime": "日期和时间", "time": "时间", "null": "空",
}  # fmt: skip
# What msgspec says of an object's keys, which are named as they are,
_OF_KEYS = (
    (re.compile(r"Object missing required field `(.+)`"), "缺少 {0}"),
    (re.compile(r"Object contains unknown field `(.+?)`?"), "没有 {0} 这一项"),
)
# and of values that a type does not take.
_OF_VALUES = (
    (re.compile(r"Expected `array` of length (\d+), got (\d+)"), "应有 {0} 项，现有 {1} 项"),
    (re.compile(r"Expected `array` of at most length (\d+), got (\d+)"), "应不多于 {0} 项，现有 {1} 项"),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), "应为{0}，现为{1}"),
    (re.compile(r"Invalid enum value (.+)"), "没有 {0} 这个值"),
    (re.compile(r"Invalid RFC3339 encoded (.+)"), "应为{0}，如 2026-01-31"),
)


def of_message(message: str) -> Expected:
    """What msgspec says, in both languages."""
    for pattern, told in _OF_KEYS:
        if found := pattern.fullmatch(message):
            return Expected(told.format(*found.groups()), message)
    for pattern, told in _OF_VALUES:
        if found := pattern.fullmatch(message):
            return Expected(told.format(*map(_in_chinese, found.groups())), message)
    return Expected(f"格式不正确（{message}）", message)


def _in_chinese(types: str) -> str:
    return "或".join(_TYPES.get(each, each) for each in types.split(" | "))
