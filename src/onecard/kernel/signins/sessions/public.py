"""The session store of the public web process (SESSION_ENGINE)."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from onecard.kernel.signins.models import PublicSession


class SessionStore(DatabaseStore):
    """Django's database store over `PublicSession`."""

    @classmethod
    def get_model_class(cls) -> type[PublicSession]:
        return PublicSession
