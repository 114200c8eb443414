"""One folder with all that a gate keeps. Nobody but its own user may look into it: it holds the terminal's key.

gate.toml            what people say of it (`config`)
identity.json        terminal, keys, journals; the only thing that cannot be fetched again
clock.json           the last time signal
pins.json            the issuer's keys as they were taken over at pairing and since
contact.json         when the platform last answered
supplies/            the pack, and lists
journals/            journals and how far their sequences are reserved (`onecard_kit.journal_file`)
memory.sqlite        what was seen here
lock                 held by the one process that presents
"""

import fcntl
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from onecard_gate.errors import BadConfig, GateError, NotPaired
from onecard_kit.journal_file import replace_file
from onecard_kit.requests import MACS, Mac

T = TypeVar("T")


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of the terminal, in hex, and the algorithm it is for."""

    key: str
    algorithm: str


class Journal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journal of this gate, and as which terminal and under which key its lines are told of."""

    id: str
    terminal: str
    key_id: int


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who this gate is to the platform at `url`. The last of `journals` is the one it writes; older ones wait until the
    platform has had them. `keys` by key id.
    """

    url: str
    terminal: str
    key_id: int
    keys: Mapping[int, Key]
    journals: tuple[Journal, ...]

    @property
    def journal(self) -> Journal:
        return self.journals[-1]

    def key_of(self, key_id: int) -> tuple[bytes, Mac]:
        """Raises KeyError."""
        kept = self.keys[key_id]
        return bytes.fromhex(kept.key), MACS[kept.algorithm]

    @property
    def macs(self) -> dict[int, tuple[bytes, Mac]]:
        """Every key that lines of its journals may be under."""
        return {key_id: self.key_of(key_id) for key_id in self.keys}


@dataclass(frozen=True, slots=True)
class Home:
    """The folder. Make it with `Home.open`, which sees to its modes."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "Home":
        """The folder, made if there is none. Raises BadConfig when others may look into it, or it cannot be made."""
        try:
            for each in (folder, folder / "supplies", folder / "journals"):
                each.mkdir(mode=0o700, parents=each == folder, exist_ok=True)
        except OSError as error:
            raise BadConfig(f"无法建立 {folder}：{error}", f"{folder} cannot be made: {error}") from None
        home = cls(folder)
        loose = home.loose()
        if loose:
            names = ", ".join(map(str, loose))
            raise BadConfig(
                f"其他用户可读 {names}；请运行：chmod -R go= {folder}",
                f"Others may read {names}; run: chmod -R go= {folder}",
            )
        return home

    def loose(self) -> list[Path]:
        """What others than its user may read or write."""
        secret = (self.folder, *(each for each in self.folder.rglob("*") if each.name != "gate.toml"))
        return [each for each in secret if not each.is_symlink() and stat.S_IMODE(each.stat().st_mode) & 0o077]

    @property
    def supplies(self) -> Path:
        return self.folder / "supplies"

    @property
    def journals(self) -> Path:
        return self.folder / "journals"

    def identity(self) -> Identity:
        """Raises NotPaired, or BadConfig for a damaged file."""
        found = self.read("identity.json", Identity)
        if found is None:
            raise NotPaired
        return found

    def read(self, name: str, kind: type[T]) -> T | None:
        """A kept JSON file; None where there is none. Raises BadConfig for one that cannot be read."""
        try:
            return msgspec.json.decode((self.folder / name).read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            path = self.folder / name
            raise BadConfig(f"{path} 已损坏：{error}", f"{path} is damaged: {error}") from None

    def read_or_none(self, name: str, kind: type[T]) -> T | None:
        """The same for what can be had again: a damaged file is none."""
        try:
            return self.read(name, kind)
        except BadConfig:
            return None

    def write(self, name: str, value: Any) -> None:
        """Replace a kept JSON file, whole or not at all. Raises OSError."""
        replace_file(self.folder / name, [msgspec.json.encode(value)])

    def lock(self) -> int:
        """Be the one process that presents here, until it ends. Raises GateError BUSY, or BadConfig."""
        path = self.folder / "lock"
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadConfig(f"{path} 无法写入：{error}", f"{path} cannot be written: {error}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise GateError("BUSY", "本机的另一个进程正在运行。", "Another process of this gate is running.") from None
        return file
