"""Addresses: whatever a part holds, writing and reading give it back, and libpq reads the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import conninfo

from onecard.foundation.errors import BadInput
from onecard.foundation.postgres import urls

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(role=TEXT, password=TEXT, folder=TEXT, name=TEXT)
def test_a_written_address_is_read_back_by_us_and_by_libpq(role: str, password: str, folder: str, name: str) -> None:
    address = urls.Address(role, password, "/" + folder, 0, name)
    assert urls.parse(address.url()) == address
    read = conninfo.conninfo_to_dict(address.url())
    assert (read["user"], read["password"], read["host"], read["dbname"]) == (role, password, "/" + folder, name)


@pytest.mark.parametrize(
    "url", ["postgresql://a:b@db.city:5433/x?sslmode=require", "postgresql://a:b@[::1]:5433/x", "postgresql://a@h/x"]
)
def test_a_server_on_the_network(url: str) -> None:
    assert urls.parse(url).url() == url
    assert urls.parse(urls.with_name(urls.with_role(url, "r", "p"), "y")).name == "y"


@pytest.mark.parametrize("url", ["", "mysql://a@b/c", "postgresql://a:secret@h:port/x", "postgresql://[/x"])
def test_a_malformed_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        urls.parse(url)
    assert refused.value.code == "DATABASE_URL_MALFORMED"
    assert "secret" not in str(refused.value)


def test_no_address_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(urls.ENVIRONMENT, raising=False)
    with pytest.raises(BadInput, match="DATABASE_URL_MISSING"):
        urls.of_environment()
