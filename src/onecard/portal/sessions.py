"""How long a session lasts: half an hour after it was last used, with a warning two minutes before its end."""

import datetime as dt
from typing import Any

from django.http import HttpRequest

from onecard.foundation import clock
from onecard.foundation.web.sessions import WARNING_S, Lasts
from onecard.kernel.signins.sessions import public as stored
from onecard.portal import browsers

LIFE = dt.timedelta(minutes=30)


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of the portal's pages. Asks the session only when a page does."""
    return {"session_of": lambda request: Lasts(left_s(request), int(LIFE.total_seconds()), WARNING_S)}


def begin(request: HttpRequest) -> None:
    """A session that was opened just now: it lasts from here, and its owner will know it again."""
    stored.begin(request.session, browsers.name_of(request.headers.get("User-Agent", "")))
    keep(request, at_once=True)


def keep(request: HttpRequest, *, at_once: bool = False) -> None:
    """Let the session last anew, if it is past half of its time or was never told how long: not with each request, a
    session that is told so is written.
    """
    if stored.BEGAN not in request.session:  # opened by password, on a page that is not ours
        stored.begin(request.session, browsers.name_of(request.headers.get("User-Agent", "")))
    if at_once or left_s(request) < LIFE.total_seconds() / 2:
        request.session.set_expiry(clock.now() + LIFE)


def left_s(request: HttpRequest) -> int:
    """In how many seconds the session ends; 0 if it was never told when."""
    if not isinstance(request.session.get("_session_expiry"), str):
        return 0
    return max(0, round((request.session.get_expiry_date() - clock.now()).total_seconds()))
