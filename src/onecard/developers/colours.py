"""Requests and JSON as they travel, coloured for reading: keys and texts; what is Chinese is marked as such."""

import re

from markupsafe import Markup, escape

_PART = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?')
_CHINESE = re.compile("[㐀-鿿]")


def coloured(text: str) -> Markup:
    """Markup of a text, every character of it kept."""
    made, at = [], 0
    for found in _PART.finditer(text):
        made.append(escape(text[at : found.start()]))
        made.append(_part(found[1], found[2] or ""))
        at = found.end()
    return Markup("").join([*made, escape(text[at:])])


def _part(quoted: str, colon: str) -> Markup:
    kind = "k" if colon else "s"
    if _CHINESE.search(quoted):
        return Markup('<span class="{}" lang="zh-CN">{}</span>{}').format(kind, quoted, colon)
    return Markup('<span class="{}">{}</span>{}').format(kind, quoted, colon)
