"""Second factors (第二步验证) of staff: an authenticator's code, or a passkey, which is both factors at once.

What a session has shown stands in django-allauth's records of it, with the moment.
"""

import datetime as dt
import time

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from django.contrib.auth import logout
from django.db.models import QuerySet
from django.http import HttpRequest

from onecard.foundation.errors import NotPermitted
from onecard.kernel.signins.models import User

# For so long after somebody showed a second factor it is still them who sits there.
FRESH_S = 300


def of_user(user: User) -> "QuerySet[Authenticator]":
    """Everything that a user may show as a second factor."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk)
    return found


def authenticator_of(user: User) -> Authenticator | None:
    """The authenticator whose codes a user types; None if they have none."""
    return of_user(user).filter(type=Authenticator.Type.TOTP).first()


def note_shown(request: HttpRequest, user: User, kind: str) -> None:
    """Note that this session showed a second factor just now; `kind` is a type of `Authenticator`."""
    record_authentication(request, user, "mfa", type=kind)


def was_shown(request: HttpRequest, *, within_s: float | None = None) -> bool:
    """Whether this very session showed a second factor, at any time or within so many seconds."""
    records = get_authentication_records(request, request.user)
    since = 0 if within_s is None else time.time() - within_s
    return any(record["method"] == "mfa" and record["at"] >= since for record in records)


def still_holds(request: HttpRequest) -> bool:
    """Whether one of the factors that the user has now was there when this session showed one: a reset takes them all,
    also from a sign-in that was under way, and what is set up afterwards is not what such a session showed.
    """
    records = get_authentication_records(request, request.user)
    shown = [record["at"] for record in records if record["method"] == "mfa"]
    if not shown:
        return False
    last = dt.datetime.fromtimestamp(max(shown), dt.UTC)
    return of_user(request.user).filter(created_at__lte=last).exists()  # type: ignore[arg-type]


def may_add(request: HttpRequest) -> bool:
    """Whether who sits there may add a second factor: it is their first one, or they showed one just now."""
    return was_shown(request, within_s=FRESH_S) or not of_user(request.user).exists()  # type: ignore[arg-type]


def lock(user: User) -> None:
    """Take a user's row for the caller's transaction: what they may sign in by changes one step at a time, so that no
    eleventh passkey, no loss of the last factor, and nothing that is added during a reset slips through.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def require_session(request: HttpRequest) -> None:
    """Raises NotPermitted SESSION_ENDED where the session of this request was ended since it began. To be asked under
    `lock`: a reset takes the sessions with the factors.
    """
    key = request.session.session_key
    if key is None or not request.session.exists(key):
        logout(request)
        raise NotPermitted(
            "SESSION_ENDED",
            "您的登录刚才已被结束，没有任何改动。",
            "Your session was ended just now; nothing was changed.",
            next_zh="请重新登录。",
            next_en="Sign in again.",
        )
