"""Tables for a terminal, in which a Chinese character takes two columns."""

import unicodedata
from collections.abc import Sequence


def text(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A title and its lines under a head; columns of numbers, as their first line shows, stand right."""
    widths = [max(_width(line[n]) for line in (head, *lines)) for n in range(len(head))]
    right = [bool(lines) and _is_number(lines[0][n]) for n in range(len(head))]
    shown = ["  ".join(map(_padded, line, widths, right)).rstrip() for line in (head, *lines)]
    return "\n".join([f"  {title}", *(f"    {line}" for line in shown), ""])


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(",", "").replace(".", "").isdecimal()


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in cell)
