"""The session store of the staff web process (SESSION_ENGINE)."""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from onecard.kernel.signins.models import StaffSession


class SessionStore(DatabaseStore):
    """Django's database store over `StaffSession`; a row tells whose session it is."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        session = cast(StaffSession, super().create_model_instance(data))
        session.user_id = data.get(SESSION_KEY)
        return session


def end_all(user_id: int, *, but: str | None = None) -> int:
    """End every session of an officer, in the caller's transaction; how many. Their next request has to sign in. `but`
    names one that goes on, by its key.
    """
    return StaffSession.objects.filter(user_id=user_id).exclude(session_key=but).delete()[0]
