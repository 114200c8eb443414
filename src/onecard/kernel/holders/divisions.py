"""The table of divisions (行政区划, GB/T 2260) with the years each code was in force.

Rebuilt by `tools/divisions.py`.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Division:
    """A code and its last name. In force on some day of every year from `from_year` to `to_year`; None is "still"."""

    code: str
    name: str
    from_year: int
    to_year: int | None


Divisions = Mapping[str, Division]


@cache
def load() -> Divisions:
    """All divisions by code, about seven thousand; read once a process."""
    text = resources.files("onecard.kernel.holders").joinpath("data", "divisions.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["code"]: _division(row) for row in csv.DictReader(text.splitlines())})


def name_of(code: str) -> str:
    """The last name of a code, e.g. ``name_of("320600") == "南通市"``; the code itself where it is unknown."""
    division = load().get(code)
    return division.name if division else code


def _division(row: dict[str, str]) -> Division:
    return Division(row["code"], row["name"], int(row["from_year"]), int(row["to_year"]) if row["to_year"] else None)
