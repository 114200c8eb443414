"""Every test here runs under the settings of the public web process."""

from collections.abc import Iterator

import pytest
from tests.foundation.web.faces import face


@pytest.fixture(autouse=True)
def public_face(db: None) -> Iterator[None]:
    with face("public"):
        yield
