"""A page that waited too long for the database says so, and is no fault of ours in the log."""

import psycopg
import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation
from tests.foundation.web.faces import face

from onecard.foundation.web.middleware import Refusals


def answer(cause: Exception) -> HttpResponse | None:
    """What the middleware makes of a view that raised what Django makes of the driver's error."""
    error = OperationalError("waited")
    error.__cause__ = cause
    with face("public"), translation.override("en"):
        return Refusals(lambda request: HttpResponse()).process_exception(RequestFactory().get("/"), error)


@pytest.mark.parametrize("cause", [psycopg.errors.LockNotAvailable(), psycopg.errors.QueryCanceled()])
def test_a_wait_that_took_too_long_is_503_in_words(cause: Exception) -> None:
    response = answer(cause)
    assert response is not None
    assert response.status_code == 503
    assert b"The system is busy" in response.content


def test_any_other_failure_of_the_database_stays_a_fault() -> None:
    assert answer(psycopg.errors.AdminShutdown()) is None
