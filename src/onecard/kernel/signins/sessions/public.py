"""The session store of the public web process (SESSION_ENGINE), and the sessions of one resident."""

import hashlib
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils.dateparse import parse_datetime

from onecard.foundation import clock
from onecard.kernel.signins.models import PublicSession

BEGAN, BROWSER = "signed_in_at", "signed_in_by"
SHOWN_MAX = 50


class SessionStore(DatabaseStore):
    """Django's database store over `PublicSession`; a row tells whose session it is, and since when and where."""

    @classmethod
    def get_model_class(cls) -> type[PublicSession]:
        return PublicSession

    def create_model_instance(self, data: dict[str, Any]) -> PublicSession:
        session = cast(PublicSession, super().create_model_instance(data))
        session.user_id = data.get(SESSION_KEY)
        session.began_at = parse_datetime(data.get(BEGAN, ""))
        session.browser = data.get(BROWSER, "")
        return session


def begin(session: SessionBase, browser: str) -> None:
    """Note in a session when somebody signed in, and what their browser is called."""
    session[BEGAN], session[BROWSER] = clock.now().isoformat(), browser


def of_user(user_id: int) -> list[PublicSession]:
    """The sessions that a resident may go on with, those used last first; at most 50."""
    found = PublicSession.objects.filter(user_id=user_id, expire_date__gt=clock.now())
    return list(found.order_by("-expire_date", "session_key")[:SHOWN_MAX])


def handle(session_key: str) -> str:
    """What a page calls a session by: its key would open it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def end(user_id: int, wanted: str) -> int:
    """End the one session of a resident that has a handle; 1, or 0 where there is none."""
    keys = PublicSession.objects.filter(user_id=user_id).values_list("session_key", flat=True)
    return _end(user_id, [key for key in keys if handle(key) == wanted])


def end_others(user_id: int, keep: str) -> int:
    """End every session of a resident but the one with a key; how many."""
    keys = PublicSession.objects.filter(user_id=user_id).exclude(session_key=keep)
    return _end(user_id, list(keys.values_list("session_key", flat=True)))


def _end(user_id: int, keys: list[str]) -> int:
    return PublicSession.objects.filter(user_id=user_id, session_key__in=keys).delete()[0]
