"""Opens a session for who has proved who they are."""

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
    begin(request, user)
    return user


def begin(request: HttpRequest, user: User) -> None:
    """Open a session as a user of this process's own kind."""
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])


@transaction.atomic
def _user_of(holder_id: int) -> User:
    """The sign-in of a holder. One that is made here has no password: nobody signs in with one."""
    known = User.objects.filter(holder_id=holder_id).first()
    return known or User.objects.create_user(f"holder-{holder_id}", kind=Kind.HOLDER, holder_id=holder_id)
