"""How a keyring's file changes: whole, private, once at a time; and what is derived never does."""

import json
import os
import re
import stat
import threading
from pathlib import Path

import pytest

from onecard.foundation import crypto, key_files, keys
from onecard.foundation.errors import Conflict, OneCardError, Unavailable
from onecard.kernel.audit.actions import ANCHOR_LABEL

SRC = Path(__file__).resolve().parents[2] / "src" / "onecard"
PLACE = "holders_holder.name:7"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keys.create(tmp_path)
    monkeypatch.setenv("ONECARD_KEYS", str(tmp_path))
    return tmp_path


def test_an_added_key_seals_and_the_file_keeps_its_mode_and_neighbours(folder: Path) -> None:
    file = folder / "identity.json"
    others = {path: path.read_bytes() for path in folder.iterdir() if path != file}
    before = keys.load("identity")
    added = key_files.add(folder, "identity")
    after = keys.load("identity")
    assert (after.keys, after.current) == ((*before.keys, added), added)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {path: path.read_bytes() for path in folder.iterdir() if path != file} == others


def test_a_key_that_waits_opens_and_does_not_seal(folder: Path) -> None:
    added = key_files.add(folder, "identity", waiting=True)
    ring = keys.load("identity")
    assert (ring.current.id, ring.by_id(added.id), added.waiting) == (1, added, True)
    assert key_files.begin(folder, "identity").id == added.id == keys.load("identity").current.id == 2


def test_a_node_of_the_other_suite_adds_keys_of_its_cipher(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "identity.json").read_text()
    sealed = crypto.seal(keys.load("identity"), b"x", PLACE)
    monkeypatch.setenv("ONECARD_SUITE", "sm2")
    added = key_files.add(folder, "identity", waiting=True)
    assert (added.cipher, keys.load("identity").current.cipher) == ("sm4-gcm", "aes-256-gcm")
    key_files.begin(folder, "identity")
    ring = keys.load("identity")
    assert (ring.current.cipher, crypto.seal(ring, b"x", PLACE)[:2]) == ("sm4-gcm", b"\x02\x02")
    assert crypto.open_sealed(ring, sealed, PLACE) == b"x"
    monkeypatch.delenv("ONECARD_SUITE")
    assert key_files.add(folder, "identity").cipher == "aes-256-gcm"
    assert key_files.retire(folder, "identity") == [1, 2]
    assert "cipher" not in before + (folder / "identity.json").read_text()


def test_a_new_nodes_keys_are_of_its_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONECARD_SUITE", "sm2")
    keys.create(tmp_path)
    assert keys.load("identity", {"ONECARD_KEYS": str(tmp_path)}).current.cipher == "sm4-gcm"


def test_a_retired_key_opens_nothing_and_what_it_derived_stays(folder: Path) -> None:
    first = keys.load("identity")
    sealed, index = crypto.seal(first, b"x", PLACE), crypto.blind_index(first, "name", "x")
    for round_ in (2, 3):
        key_files.add(folder, "identity")
        assert key_files.retire(folder, "identity") == [round_ - 1]
        ring = keys.load("identity")
        assert [key.id for key in ring.keys] == [round_]
        assert crypto.blind_index(ring, "name", "x") == index
        with pytest.raises(Unavailable, match="KEY_UNKNOWN"):
            crypto.open_sealed(ring, sealed, PLACE)
    assert first.keys[0].secret.hex() not in (folder / "identity.json").read_text()


def test_every_label_that_is_derived_is_kept_by_a_rotation() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SRC.rglob("*.py"))
    derived = set(re.findall(r'\.(?:derive|hmac)\(\s*"([^"]+)"', text)) | {ANCHOR_LABEL}
    indexed = {f"index:{field}" for field in re.findall(r'blind_index\([^,()]+(?:\([^)]*\))?,\s*"(\w+)"', text)}
    assert derived | indexed == {label for labels in keys.LABELS.values() for label in labels}


def test_a_process_that_read_the_ring_before_opens_what_came_after(folder: Path) -> None:
    stale = keys.load("identity")
    key_files.add(folder, "identity")
    assert crypto.open_sealed(stale, crypto.seal(keys.load("identity"), b"x", PLACE), PLACE) == b"x"


def test_a_link_stays_a_link(folder: Path) -> None:
    mine = folder / "staff"
    mine.mkdir()
    (mine / "identity.json").symlink_to(folder / "identity.json")
    key_files.add(mine, "identity")
    assert (mine / "identity.json").is_symlink()
    assert len(keys.load("identity", {"ONECARD_KEYS": str(folder)}).keys) == 2


def test_who_adds_at_the_same_moment_loses_no_key(folder: Path) -> None:
    threads = [threading.Thread(target=key_files.add, args=(folder, "identity")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [key.id for key in keys.load("identity").keys] == list(range(1, 10))


def test_ids_end_at_one_byte(folder: Path) -> None:
    ring = {"purpose": "identity", "keys": [{"id": 255, "secret": "ab" * 32}]}
    (folder / "identity.json").write_text(json.dumps(ring))
    with pytest.raises(Conflict, match="KEY_IDS_USED_UP"):
        key_files.add(folder, "identity")


def test_a_ring_of_the_environment_is_changed_where_it_comes_from(folder: Path) -> None:
    text = (folder / "identity.json").read_text()
    with pytest.raises(Conflict, match="RING_NOT_A_FILE"):
        key_files.folder_of("identity", {"ONECARD_KEYS": str(folder), "ONECARD_KEY_IDENTITY": text})
    assert key_files.folder_of("identity") == folder


@pytest.mark.parametrize("change", ["kept", "waiting", "cipher"])
def test_a_damaged_file_is_refused(folder: Path, change: str) -> None:
    ring = json.loads((folder / "identity.json").read_text())
    if change == "kept":
        ring["kept"] = {"index:name": "00"}
    elif change == "cipher":
        ring["keys"][0]["cipher"] = "rot13"
    else:
        ring["keys"][0]["waiting"] = True
    (folder / "identity.json").write_text(json.dumps(ring))
    with pytest.raises(OneCardError, match="KEYS_MALFORMED"):
        keys.load("identity")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ours_is_refused_and_left(folder: Path) -> None:
    before = (folder / "identity.json").read_bytes()
    folder.chmod(0o500)
    try:
        with pytest.raises(Unavailable, match="KEYS_NOT_WRITABLE"):
            key_files.add(folder, "identity")
        assert (folder / "identity.json").read_bytes() == before
    finally:
        folder.chmod(0o700)
