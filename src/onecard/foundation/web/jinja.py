"""The Jinja2 environment of both web processes, and the drawing functions that the kit of macros uses."""

import datetime as dt
import math
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.forms import BoundField
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from onecard.foundation.clock import CHINA
from onecard.foundation.money import yuan

SPRITE = Path(__file__).parent / "static" / "vendor" / "icons.svg"


def environment(**options: Any) -> Environment:
    """Autoescaping (Django's backend says so), translating, and strict: a misspelt name is an error, not a gap."""
    env = Environment(**{**options, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})  # noqa: S701
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # from the extension
    env.globals.update(
        static=static,
        url=reverse,
        icon=icon,
        guilloche=guilloche,
        bar=bar,
        local=local,
        words=words,
        describe=describe,
        html_lang=html_lang,
        messages_of=get_messages,
        now=timezone.now,
        yuan=yuan,
    )
    env.filters.update(moment=moment, second=second, day=day, count=count)
    return env


def html_lang() -> str:
    """The BCP 47 tag of the page's language."""
    return "en" if is_english() else "zh-CN"


def is_english() -> bool:
    return (get_language() or "").startswith("en")


def local(words: dict[str, str] | str) -> Markup:
    """Content kept in both languages, in the page's; where English is missing the Chinese stands, marked as Chinese."""
    if isinstance(words, str):
        words = {"zh": words, "en": ""}
    if not is_english():
        return escape(words["zh"])
    return escape(words["en"]) if words.get("en") else chinese(words["zh"])


def words(both: dict[str, str]) -> str:
    """As `local`, without markup: for titles and attributes."""
    return (both.get("en") if is_english() else None) or both["zh"]


def describe(bound: BoundField, hint: str) -> dict[str, str]:
    """Attributes that tie a control to its hint and its error, for those who hear the page."""
    name = bound.id_for_label
    told = [part for part, there in ((f"{name}_hint", hint), (f"{name}_error", bound.errors)) if there]
    attributes = {"class": "input"}
    if told:
        attributes["aria-describedby"] = " ".join(told)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return attributes


def chinese(text: str) -> Markup:
    """Text that is Chinese whatever the page's language, e.g. a person's name."""
    return Markup('<span lang="zh-CN">{}</span>').format(text)


def moment(value: dt.datetime) -> str:
    """Date and time in Asia/Shanghai, ISO order."""
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def second(value: dt.datetime) -> str:
    """As `moment`, to the second, where it matters which came first."""
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def day(value: dt.date) -> str:
    """A date, ISO order."""
    return value.isoformat()


def count(number: int) -> str:
    """A whole number with thousands separators."""
    return f"{number:,}"


@cache
def _symbols() -> dict[str, str]:
    parts = SPRITE.read_text(encoding="utf-8").split('<symbol id="')[1:]
    return {part.split('"', 1)[0]: part[part.index(">") + 1 : part.index("</symbol>")] for part in parts}


def icon(name: str, kind: str = "") -> Markup:
    """A line icon, inlined; words stand beside it. KeyError names one that tools/vendor.py does not fetch."""
    body = Markup(_symbols()[name])  # noqa: S704  # our own vendored file
    return Markup('<svg class="i {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>').format(
        kind, body
    )


@cache
def guilloche(width: int = 340, height: int = 210, lines: int = 15) -> Markup:
    """The wave pattern on card faces."""
    drawn = []
    for line in range(lines):
        points = []
        for x in range(0, width + 1, 5):
            swell = (line - lines / 2) * 7 * math.sin(x / width * math.pi)
            y = height * 0.62 + swell + 26 * math.sin(x / 46 + line * 0.16) * math.cos(x / 190)
            points.append(f"{x},{y:.0f}")
        drawn.append(Markup('<polyline points="{}"/>').format(" ".join(points)))
    return Markup('<svg class="gui" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}</svg>').format(
        width, height, Markup("").join(drawn)
    )


def bar(*parts: tuple[float, str], label: str = "") -> Markup:
    """A bar of (percent, tone) parts; widths are SVG attributes, because the CSP forbids inline style."""
    x, drawn = 0.0, []
    for percent, tone in parts:
        drawn.append(Markup('<rect x="{:.2f}%" width="{:.2f}%" height="100%" class="{}"/>').format(x, percent, tone))
        x += percent
    told = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="bar" {}>{}</svg>').format(told, Markup("").join(drawn))


def page(request: Any) -> dict[str, Any]:
    """Context of every page. Reads no database: error pages use it too."""
    return {
        "elder": getattr(request, "elder", False),
        "switches": {key: _with(request, *pair) for key, pair in _SWITCHES.items()},
        "city": settings.ONECARD_CITY,
        "bureau": settings.ONECARD_BUREAU,
        "product": settings.ONECARD_PRODUCT,
        "demo": settings.ONECARD_DEMO,
    }


_SWITCHES = {
    "zh": ("lang", "zh"),
    "en": ("lang", "en"),
    "elder": ("mode", "elder"),
    "standard": ("mode", "standard"),
}


def _with(request: Any, name: str, value: str) -> str:
    """This page's own address with one query value changed, so that a switch keeps the page. POSTed pages go home."""
    query = request.GET.copy()
    query[name] = value
    path = request.path if request.method in ("GET", "HEAD") else getattr(request, "back_to", request.path)
    return f"{path}?{query.urlencode()}"
