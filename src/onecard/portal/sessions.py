"""How long a session lasts: half an hour after it was last used, with a warning two minutes before its end."""

import datetime as dt
from typing import Any, cast

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from onecard.foundation import clock
from onecard.foundation.errors import NotPermitted
from onecard.foundation.web import browsers
from onecard.foundation.web.sessions import WARNING_S, Lasts
from onecard.kernel.holders import queries as holders
from onecard.kernel.signins.models import User
from onecard.kernel.signins.sessions import public as stored

LIFE = dt.timedelta(minutes=30)
RECENT = dt.timedelta(minutes=10)


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of the portal's pages. Asks the session only when a page does."""
    return {"session_of": lambda request: Lasts(left_s(request), int(LIFE.total_seconds()), WARNING_S)}


def begin(request: HttpRequest) -> None:
    """A session that was opened just now: it lasts from here, and its owner will know it again."""
    stored.begin(request.session, browsers.name_of(request))
    keep(request, at_once=True)


def keep(request: HttpRequest, *, at_once: bool = False) -> None:
    """Let the session last anew, if it is past half of its time or was never told how long: not with each request, a
    session that is told so is written.
    """
    if stored.BEGAN not in request.session:  # opened by password, on a page that is not ours
        stored.begin(request.session, browsers.name_of(request))
    if at_once or left_s(request) < LIFE.total_seconds() / 2:
        _require_living(request)
        request.session.set_expiry(clock.now() + LIFE)


def is_recent(request: HttpRequest) -> bool:
    """Whether the session was opened less than ten minutes ago: whoever holds the phone just proved who they are."""
    began = parse_datetime(request.session.get(stored.BEGAN, ""))
    return began is not None and clock.now() - began < RECENT


def _require_living(request: HttpRequest) -> None:
    """Nobody goes on in the name of who has died. Raises NotPermitted HOLDER_DECEASED."""
    holder_id = cast(User, request.user).holder_id
    if holder_id is not None and not holders.is_alive(holder_id):
        request.session.flush()
        raise NotPermitted(
            "HOLDER_DECEASED",
            "这位持卡人已登记死亡，不能再用本人的登录。",
            "This cardholder is registered as deceased; their sign-in is closed.",
            next_zh="继承人请携带证明到任一服务网点办理；登记有误，请拨打 12333。",
            next_en="Heirs: bring proof to any service outlet. If this is a mistake, call 12333.",
        )


def left_s(request: HttpRequest) -> int:
    """In how many seconds the session ends; 0 if it was never told when."""
    if not isinstance(request.session.get("_session_expiry"), str):
        return 0
    return max(0, round((request.session.get_expiry_date() - clock.now()).total_seconds()))
