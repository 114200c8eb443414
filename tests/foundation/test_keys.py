"""Keyrings: made once, read from file or environment, stable where they must be."""

import json
import stat
from pathlib import Path

import pytest

from onecard.foundation import keys
from onecard.foundation.errors import Unavailable


def ring_text(purpose: str = "identity", *ids: int) -> str:
    return json.dumps({"purpose": purpose, "keys": [{"id": i, "secret": f"{i:02x}" * 32} for i in ids or (1,)]})


def test_create_makes_each_missing_file_private_and_overwrites_none(tmp_path: Path) -> None:
    folder = tmp_path / "钥匙 keys"
    made = keys.create(folder)
    assert sorted(path.name for path in made) == sorted(f"{purpose}.json" for purpose in keys.PURPOSES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    before = {path: path.read_bytes() for path in made}
    made[0].unlink()
    assert keys.create(folder) == [made[0]]
    assert all(path.read_bytes() == before[path] for path in made[1:])
    assert len(list(folder.iterdir())) == len(keys.PURPOSES)


def test_a_created_ring_loads_and_differs_by_purpose(tmp_path: Path) -> None:
    keys.create(tmp_path)
    environment = {"ONECARD_KEYS": str(tmp_path)}
    assert len({keys.load(purpose, environment).current.secret for purpose in keys.PURPOSES}) == len(keys.PURPOSES)


def test_the_environment_wins_over_the_folder(tmp_path: Path) -> None:
    keys.create(tmp_path)
    ring = keys.load("codes", {"ONECARD_KEYS": str(tmp_path), "ONECARD_KEY_CODES": ring_text("codes", 9)})
    assert ring.current == keys.Key(9, b"\x09" * 32)


def test_rotation_moves_current_and_keeps_what_is_derived() -> None:
    before = keys.load("identity", {"ONECARD_KEY_IDENTITY": ring_text("identity", 1)})
    after = keys.load("identity", {"ONECARD_KEY_IDENTITY": ring_text("identity", 1, 2)})
    assert (before.current.id, after.current.id) == (1, 2)
    assert before.derive("index:name") == after.derive("index:name")
    assert before.hmac("index:name", b"x") != before.hmac("index:phone", b"x")
    assert after.by_id(1) == before.current


def test_what_no_rotation_would_keep_is_not_derived() -> None:
    ring = keys.load("codes", {"ONECARD_KEY_CODES": ring_text("codes")})
    with pytest.raises(ValueError, match="no label of the keyring codes"):
        ring.derive("index:name")


def test_derivation_is_frozen() -> None:
    """Every blind index in every database depends on these bytes."""
    ring = keys.load("identity", {"ONECARD_KEY_IDENTITY": ring_text()})
    assert ring.derive("index:number").hex() == "e3ebac3cd0fad7aac41a431acbab369adbf6dad81339b8546582e268dbffba99"


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, "KEYS_MISSING"),
        ({"ONECARD_KEYS": "/nonexistent"}, "KEYS_MISSING"),
        ({"ONECARD_KEY_IDENTITY": ""}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": "[]"}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": ring_text("codes")}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": ring_text("identity", 0)}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": ring_text("identity", 1, 1)}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": ring_text("identity", 2, 1)}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": '{"purpose": "identity", "keys": []}'}, "KEYS_MALFORMED"),
        ({"ONECARD_KEY_IDENTITY": '{"purpose": "identity", "keys": [{"id": 1, "secret": "00"}]}'}, "KEYS_MALFORMED"),
    ],
)
def test_missing_or_malformed_keys_are_refused_with_a_remedy(environment: dict[str, str], code: str) -> None:
    with pytest.raises(Unavailable) as refusal:
        keys.load("identity", environment)
    assert refusal.value.code == code
    assert refusal.value.next_zh
    assert refusal.value.next_en


def test_a_secret_never_shows_in_a_representation() -> None:
    ring = keys.load("identity", {"ONECARD_KEY_IDENTITY": ring_text()})
    ring.derive("index:name")
    assert "01" * 4 not in repr(ring)
    assert r"\x01" not in repr(ring)


def test_an_unknown_key_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="KEY_UNKNOWN"):
        keys.load("identity", {"ONECARD_KEY_IDENTITY": ring_text()}).by_id(7)
