"""The session store of the staff web process (SESSION_ENGINE)."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from onecard.kernel.signins.models import StaffSession


class SessionStore(DatabaseStore):
    """Django's database store over `StaffSession`."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession
