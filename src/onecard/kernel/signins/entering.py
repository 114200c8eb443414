"""Opens a session for a holder who has proved that they hold the registered phone."""

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from onecard.kernel.signins.models import Kind, User


def enter(request: HttpRequest, holder_id: int) -> User | None:
    """Open a session as the holder, whose sign-in is made where there is none; None if theirs is closed."""
    user = _user_of(holder_id)
    if not user.is_active:
        return None
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return user


@transaction.atomic
def _user_of(holder_id: int) -> User:
    """The sign-in of a holder. One that is made here has no password: nobody signs in with one."""
    known = User.objects.filter(holder_id=holder_id).first()
    return known or User.objects.create_user(f"holder-{holder_id}", kind=Kind.HOLDER, holder_id=holder_id)
