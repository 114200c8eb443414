"""How the file of a keyring changes: a key is added, begins to seal, and old ones are retired.

A file is replaced whole, with its owner and mode, by somebody who holds the folder's lock: whoever reads, reads the
file before or the file after.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from onecard.foundation import keys
from onecard.foundation.errors import Conflict, Unavailable
from onecard.foundation.keys import Key, Keyring

KEY_ID_MAX = 255


def folder_of(purpose: str, environment: Mapping[str, str] | None = None) -> Path:
    """The folder whose file this process reads a ring from. Raises Conflict RING_NOT_A_FILE."""
    environment = os.environ if environment is None else environment
    variable = f"ONECARD_KEY_{purpose.upper()}"
    if variable in environment:
        raise Conflict(
            "RING_NOT_A_FILE",
            f"密钥环 {purpose} 来自环境变量 {variable}，无法在此修改。",
            f"The keyring {purpose} comes from the variable {variable} and cannot be changed here.",
            next_zh="请在其来源处追加新密钥，再运行一次以重新加密。",
            next_en="Append a key where it comes from, then run this again to re-seal.",
        )
    return Path(environment.get("ONECARD_KEYS", ""))


def add(folder: Path, purpose: str, *, waiting: bool = False) -> Key:
    """Add a fresh key for the cipher of the node's suite, under which new values are sealed at once unless it waits.

    Raises Conflict KEY_IDS_USED_UP.
    """
    with _changing(folder, purpose) as change:
        ring = change.ring
        highest = max(key.id for key in ring.keys)
        if highest == KEY_ID_MAX:
            raise Conflict(
                "KEY_IDS_USED_UP",
                f"密钥环 {purpose} 的编号已用完。",
                f"The keyring {purpose} has used every id up to {KEY_ID_MAX}.",
            )
        key = keys.fresh_key(highest + 1, waiting=waiting)
        change.write(replace(ring, keys=(*ring.keys, key)))
    return key


def begin(folder: Path, purpose: str) -> Key:
    """Let the keys that wait seal from now on; the newest."""
    with _changing(folder, purpose) as change:
        ring = change.ring
        change.write(replace(ring, keys=tuple(replace(key, waiting=False) for key in ring.keys)))
    return replace(ring.keys[-1], waiting=False)


def retire(folder: Path, purpose: str) -> list[int]:
    """Forget every key but the newest, and keep what was derived from them; the ids that are gone.

    Whoever calls has made sure that no value names them.
    """
    with _changing(folder, purpose) as change:
        ring = change.ring
        kept = {label: ring.derive(label) for label in {*ring.kept, *keys.LABELS[purpose]}}
        newest = ring.keys[-1]
        change.write(Keyring(purpose, (newest,), kept))
    return [key.id for key in ring.keys if key is not newest]


class _Change:
    """A ring as it stands while nobody else may change it."""

    def __init__(self, path: Path, ring: Keyring) -> None:
        self.ring = ring
        self._path = path

    def write(self, ring: Keyring) -> None:
        _replace(self._path, keys.text_of(ring))


@contextmanager
def _changing(folder: Path, purpose: str) -> Iterator[_Change]:
    # A link stands for the file it names, also after it is replaced.
    path = (folder / f"{purpose}.json").resolve()
    ring = keys.load(purpose, {"ONECARD_KEYS": str(path.parent)})
    try:
        lock = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _not_writable(path) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ring = keys.load(purpose, {"ONECARD_KEYS": str(path.parent)})
        yield _Change(path, ring)
    finally:
        os.close(lock)


def add_note(path: Path, text: str) -> None:
    """Put a file without secrets beside the rings, for whoever restores something.

    Raises Unavailable KEYS_NOT_WRITABLE.
    """
    try:
        keys.write_new(path, text)
    except OSError as error:
        raise _not_writable(path) from error


def _replace(path: Path, text: str) -> None:
    """Replace a file by one that is whole and on the disk, with the owner and mode of the one before."""
    before = path.stat()
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _not_writable(path) from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            os.fchmod(out.fileno(), before.st_mode & 0o777)
            os.fchown(out.fileno(), before.st_uid, before.st_gid)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except PermissionError as error:
        os.unlink(temporary)
        raise _not_writable(path) from error
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_writable(path: Path) -> Unavailable:
    return Unavailable(
        "KEYS_NOT_WRITABLE",
        f"无法替换密钥文件 {path}。",
        f"The key file {path} cannot be replaced.",
        next_zh="请以该文件的属主或管理员身份运行。",
        next_en="Run this as the file's owner or as an administrator.",
    )
