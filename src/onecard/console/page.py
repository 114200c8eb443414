"""What every page of the console shows around its own content."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from onecard.foundation.web.sessions import WARNING_S, Lasts
from onecard.kernel.staff.queries import StaffActor, officer_of


def actor_at(request: HttpRequest) -> StaffActor:
    """The officer who asks, as `access.needs` found them."""
    actor: StaffActor = request.actor  # type: ignore[attr-defined]
    return actor


def page_of(request: HttpRequest, at: str, **values: Any) -> dict[str, Any]:
    """The values of a page that stands under `at` in the menu."""
    officer = officer_of(request.user)  # type: ignore[arg-type]  # signed in
    # Each request keeps the session for its whole life.
    life_s = settings.SESSION_COOKIE_AGE
    return {
        "lasts": Lasts(life_s, life_s, WARNING_S),
        "at": at,
        "actor": actor_at(request),
        "officer": officer,
        **values,
    }
