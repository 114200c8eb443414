"""Invitations (首次登录码): a code, shown once to who makes it, by which one officer sets their own password, once.

It opens no session: the password does, and then the second factor, which a new officer has to set up first.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets

from onecard.foundation import clock
from onecard.kernel.signins.models import Invitation, User

LIFE = dt.timedelta(days=3)
CODE_BYTES = 10


def make(user_id: int) -> str:
    """A new code for a user, in the caller's transaction: sixteen letters and digits in fours. The last is void."""
    raw = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    now = clock.now()
    values = {"digest": _digest(raw), "made_at": now, "expires_at": now + LIFE}
    Invitation.objects.update_or_create(user_id=user_id, defaults=values)
    return "-".join(raw[at : at + 4] for at in range(0, len(raw), 4))


def accept(username: str, code: str, password: str) -> User | None:
    """Set the password of who was invited, in the caller's transaction; None if name and code do not fit, or lapsed."""
    # The user first, as whoever suspends them takes the two: the other way round they would wait for one another.
    user = User.objects.select_for_update(no_key=True).filter(username=username).first()
    found = Invitation.objects.select_for_update().filter(user=user).first() if user is not None else None
    if user is None or found is None or not user.is_active or found.expires_at <= clock.now():
        return None
    typed = code.upper().replace("-", "").replace(" ", "")
    if not hmac.compare_digest(bytes(found.digest), _digest(typed)):
        return None
    user.set_password(password)
    user.save(update_fields=["password"])
    found.delete()
    return user


def void(user_id: int) -> None:
    """Void what a user was invited by, if it is still open."""
    Invitation.objects.filter(user_id=user_id).delete()


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
