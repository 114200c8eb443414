"""Pseudonyms: the same each time, another for each client, and none that was never given."""

import base64
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onecard.foundation import key_files, keys
from onecard.kernel.sharing import pseudonyms

CLIENTS = st.integers(1, 2**31)
HOLDERS = st.integers(1, 2**62)


@pytest.fixture(autouse=True)
def rings(keys_folder: Path) -> Path:
    return keys_folder


@given(CLIENTS, HOLDERS)
def test_it_is_turned_back_by_us_alone(client: int, holder: int) -> None:
    name = pseudonyms.of_holder(client, holder)
    assert pseudonyms.of_holder(client, holder) == name
    assert pseudonyms.holder_of(client, name) == holder
    assert pseudonyms.holder_of(client + 1, name) is None


@given(CLIENTS, HOLDERS, HOLDERS)
def test_two_holders_have_two_names(client: int, one: int, other: int) -> None:
    assume(one != other)
    assert pseudonyms.of_holder(client, one) != pseudonyms.of_holder(client, other)


@given(st.text(max_size=40) | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26))
def test_a_name_that_was_made_up_is_nobodys(text: str) -> None:
    assert pseudonyms.holder_of(1, text) is None


def test_a_name_has_one_spelling() -> None:
    name = pseudonyms.of_holder(1, 42)
    spare = {name[:-1] + last for last in "abcdefghijklmnopqrstuvwxyz234567"} - {name}
    same = [other for other in spare if base64.b32decode(other.upper() + "======") == _block(name)]
    assert same
    for other in (*same, name.upper(), name + "=", name[:-1], f" {name}"):
        assert pseudonyms.holder_of(1, other) is None


def _block(name: str) -> bytes:
    return base64.b32decode(name.upper() + "======")


def test_it_outlives_its_first_key_and_hangs_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create(tmp_path)
    monkeypatch.setenv("ONECARD_KEYS", str(tmp_path))
    name = pseudonyms.of_holder(1, 42)
    key_files.add(tmp_path, "clients")
    key_files.retire(tmp_path, "clients")
    assert pseudonyms.of_holder(1, 42) == name
    monkeypatch.setenv("ONECARD_KEY_CLIENTS", keys.text_of(keys.Keyring("clients", (keys.fresh_key(1),))))
    assert pseudonyms.holder_of(1, name) is None
