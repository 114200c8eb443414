"""Pairing and starting anew: what makes, and what empties, a gate's folder."""

import contextlib
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from onecard_gate import config
from onecard_gate.errors import NotPaired, Unreachable
from onecard_gate.home import Home, Identity, Journal, Key
from onecard_gate.platform import Platform, problem_of
from onecard_gate.supplies import Supplies
from onecard_kit.journal_file import JournalFile, replace_file
from onecard_kit.requests import MACS

PAIRINGS = "/v1/pairings"


def pair(home: Home, platform: Platform, pairing_code: str) -> Identity:
    """Make this gate the terminal that a pairing code is for. A gate that was one before keeps its keys and journals
    until the platform has had their lines. Raises Unreachable or Told.
    """
    home.write("identity.json.probe", {})  # a code is good once: better no room is found out before
    (home.folder / "identity.json.probe").unlink()
    answer = platform.ask("POST", PAIRINGS, msgspec.json.encode({"pairing_code": pairing_code}), _JSON)
    if answer.status >= 400:
        raise problem_of(answer)
    identity = _identity(platform.url, answer.json(), _before(home))
    home.write("identity.json", identity)
    _sample(home)
    _empty(home)
    Supplies.open(home).pin(platform)
    return identity


def reset(home: Home) -> Identity:
    """Begin a new journal and forget what was seen and fetched. What the old journal holds is uploaded all the same."""
    identity = home.identity()
    made = Journal(str(uuid4()), identity.terminal, identity.key_id)
    again = msgspec.structs.replace(identity, journals=(*_waiting(home, identity), made))
    home.write("identity.json", again)
    _empty(home, but=("pins.json",))
    return again


_JSON = {"content-type": "application/json"}


def _before(home: Home) -> Identity | None:
    try:
        return home.identity()
    except NotPaired:
        return None


def _identity(url: str, told: Any, before: Identity | None) -> Identity:
    try:
        key_id, key = int(told["key_id"]), Key(str(told["key"]), str(told["algorithm"]))
        bytes.fromhex(key.key), MACS[key.algorithm]
        journal = Journal(str(told["journal"]), str(told["terminal"]), key_id)
    except (LookupError, TypeError, ValueError) as error:
        raise Unreachable(f"no pairing: {error}") from None
    if before is None:
        return Identity(url, journal.terminal, key_id, {key_id: key}, (journal,))
    return Identity(url, journal.terminal, key_id, {**before.keys, key_id: key}, (*before.journals, journal))


def _waiting(home: Home, identity: Identity) -> list[Journal]:
    """The journals that the platform may ask for, again or for the first time: those with a line."""
    return [each for each in identity.journals if _has_lines(home, identity, each.id)]


def _has_lines(home: Home, identity: Identity, journal: str) -> bool:
    with contextlib.suppress(OSError):
        file = JournalFile.look(home.journals, journal, identity.macs)
        file.close()
        return file.count > 0 or bool(file.broken)
    return False


def _sample(home: Home) -> None:
    path = home.folder / config.NAME
    if not path.exists():
        replace_file(path, [config.SAMPLE.encode()])


def _empty(home: Home, but: tuple[str, ...] = ()) -> None:
    """Nothing of what was fetched and seen stays; journals do."""
    for name in ("pins.json", "tags.json", "contact.json", "memory.sqlite", "memory.sqlite-wal", "memory.sqlite-shm"):
        if name not in but:
            (home.folder / name).unlink(missing_ok=True)
    shutil.rmtree(home.supplies, ignore_errors=True)
    home.supplies.mkdir(mode=0o700, exist_ok=True)


def sequences_of(home: Home, journal: str) -> Path:
    """Where it is kept how far a journal's sequences are reserved."""
    return home.journals / f"{journal}.sequence"
