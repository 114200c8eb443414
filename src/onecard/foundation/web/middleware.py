"""Headers of every response, and the language and mode of every page."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from psycopg.errors import DeadlockDetected, IdleInTransactionSessionTimeout, LockNotAvailable, QueryCanceled

from onecard.foundation.errors import OneCardError
from onecard.foundation.web import errors

Handler = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
LANGUAGES = {"zh": "zh-hans", "en": "en"}
A_YEAR_S = 31_536_000
TOO_LONG = (LockNotAvailable, QueryCanceled, IdleInTransactionSessionTimeout, DeadlockDetected)


class Headers:
    """What every response says beside the CSP. Pages are personal unless a view says otherwise: nothing keeps them."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.setdefault("Cache-Control", "no-store")
        return response


class Preferences:
    """Language and elder mode: what the address says, then the cookie, then the browser, then Chinese and standard.

    A signed-in account's own choice comes between address and cookie; `signins` adds it, because it knows accounts.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self.language_of(request)
        mode = request.GET.get("mode") or request.COOKIES.get(settings.ONECARD_MODE_COOKIE)
        request.elder = mode == "elder"  # type: ignore[attr-defined]
        with translation.override(language):
            response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        self.remember(request, response)
        return response

    @staticmethod
    def language_of(request: HttpRequest) -> str:
        for choice in (request.GET.get("lang"), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)):
            if choice in LANGUAGES:
                return LANGUAGES[choice]
        return translation.get_language_from_request(request)

    @staticmethod
    def remember(request: HttpRequest, response: HttpResponse) -> None:
        wanted = (
            (settings.LANGUAGE_COOKIE_NAME, request.GET.get("lang"), LANGUAGES),
            (settings.ONECARD_MODE_COOKIE, request.GET.get("mode"), ("elder", "standard")),
        )
        for cookie, value, known in wanted:
            if value is not None and value in known:
                response.set_cookie(
                    cookie,
                    value,
                    max_age=A_YEAR_S,
                    secure=settings.SESSION_COOKIE_SECURE,
                    httponly=True,
                    samesite="Lax",
                )


class Refusals:
    """An error of ours that a view raised becomes a page in its own words, with its own status; and so do a wait for
    the database that took too long (`roles.PATIENCE`), and an address that only takes what is sent to it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path:  # names nothing: PostgreSQL keeps that character in no text
            return errors.page_not_found(request, Http404())
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            return errors.not_opened(request, response.headers["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError) and isinstance(exception.__cause__, TOO_LONG):
            exception = errors.busy()
        return errors.refused(request, exception) if isinstance(exception, OneCardError) else None
