"""Every test here runs under the settings of the staff web process."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from tests.foundation.web.faces import face


@pytest.fixture
def no_limits_of_other_tests() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def staff_face(db: None) -> Iterator[None]:
    with face("staff"):
        yield
