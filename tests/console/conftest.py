"""Every test here runs under the settings of the staff web process."""

from collections.abc import Iterator

import pytest
from tests.foundation.web.faces import face


@pytest.fixture(autouse=True)
def staff_face(db: None) -> Iterator[None]:
    with face("staff"):
        yield
