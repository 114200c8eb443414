"""Proof that an officer is there: both factors, where they are given together and no session comes of it."""

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import BaseAuthenticateForm
from django.http import HttpRequest

from onecard.kernel.signins.models import User


def proven(request: HttpRequest, username: str, password: str, code: str) -> User | None:
    """Whose name, password and authenticator code these are; None where they do not fit. The code is good once.

    Raises django's ValidationError after too many that did not, by the limits of the sign-in.
    """
    user: User | None = get_adapter(request).authenticate(request, username=username, password=password)
    if user is None or not BaseAuthenticateForm({"code": code}, user=user).is_valid():
        return None
    return user
