"""What a signed-in account adds to each request: its own language and mode, and the duty of a second factor."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation

from onecard.foundation.web.middleware import LANGUAGES
from onecard.kernel.signins import factors
from onecard.kernel.signins.models import User

Handler = Callable[[HttpRequest], HttpResponse]


class AccountPreferences:
    """The account's language and mode stand before the cookie's; a switch on the address is kept with the account."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self.apply(request, request.user)
        return self.get_response(request)

    @staticmethod
    def apply(request: HttpRequest, user: User) -> None:
        changed = []
        language, mode = request.GET.get("lang"), request.GET.get("mode")
        if language in LANGUAGES and user.language != language:
            user.language = language
            changed.append("language")
        if mode in ("elder", "standard") and user.elder != (mode == "elder"):
            user.elder = mode == "elder"
            changed.append("elder")
        if changed:
            user.save(update_fields=changed)
        if user.language in LANGUAGES:
            translation.activate(LANGUAGES[user.language])
        if mode is None:
            request.elder = user.elder  # type: ignore[attr-defined]


class SecondFactor:
    """Where a second factor is obligatory, a session that has not shown one opens the set-up page and nothing else.

    A session opened with the password alone, before somebody set the factor up elsewhere, is closed, and so is one that
    showed a factor which a reset has taken since.
    """

    # The set-up page, what it sends where somebody chooses a passkey, and the way out.
    OPEN_WITHOUT = frozenset(
        {"mfa_activate_totp", "console_passkey_begin", "console_passkey_add", "account_logout", "health"}
    )

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        if not settings.ONECARD_SECOND_FACTOR or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if not request.user.is_authenticated or factors.still_holds(request):
            return None
        if factors.was_shown(request) or factors.of_user(request.user).exists():
            logout(request)
            return HttpResponseRedirect(reverse("account_login"))
        if request.resolver_match and request.resolver_match.url_name in self.OPEN_WITHOUT:
            return None
        return HttpResponseRedirect(reverse("mfa_activate_totp"))
