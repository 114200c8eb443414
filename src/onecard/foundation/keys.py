"""Keyrings: the secrets that live outside the database, one ring for each purpose.

A ring holds root secrets, oldest first. New values are sealed under the newest (`current`) and name the key they used,
so a rotation re-seals at leisure. What must never change its value (blind indexes, permutations) derives from the
*oldest* root secret, and is kept by label when that one is retired. A key that waits opens and does not seal yet: so
processes with a copy of the file get to know it before any value names it.

Sources, first one found wins: the environment variable ``ONECARD_KEY_<PURPOSE>`` holding the JSON itself, then the file
``<purpose>.json`` in the folder named by ``ONECARD_KEYS``. The JSON::

    {"purpose": "identity", "keys": [{"id": 1, "secret": "<64 hex digits>"}]}

A key that waits has ``"waiting": true`` beside its secret; one that seals with SM4 has ``"cipher": "sm4-gcm"``, as the
suite of the node was when it was made. What a retired key left behind stands under ``"kept"``, a label each:
``{"index:name": "<64 hex digits>"}``. How a file changes is in `key_files`.
"""

import hmac as stdlib_hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onecard.foundation import suite
from onecard.foundation.errors import Unavailable

PURPOSES = ("identity", "codes", "cards", "terminals", "clients", "anchor")
# What is derived from a ring, once and for ever; nothing else may be, since retiring a key keeps these alone.
LABELS: dict[str, tuple[str, ...]] = {
    "identity": ("index:number", "index:name", "index:initials", "index:phone"),
    "codes": ("ref", "index:number"),
    "cards": ("index:card_number", "chip"),
    "terminals": (),
    "clients": ("pseudonym", "webhook"),
    "anchor": ("anchor-ed25519",),
}
SECRET_BYTES = 32
CIPHERS = ("aes-256-gcm", "sm4-gcm")
"""What a key may seal with; the first where its entry says nothing."""


@dataclass(frozen=True)
class Key:
    """A root secret of 32 bytes and its number, 1 to 255: one byte names it in a sealed value. `cipher`: one of
    `CIPHERS`.
    """

    id: int
    secret: bytes = field(repr=False)
    waiting: bool = False
    cipher: str = CIPHERS[0]


@dataclass(frozen=True)
class Keyring:
    """The keys of one purpose, oldest first; one at least does not wait. `kept` is what retired keys derived."""

    purpose: str
    keys: tuple[Key, ...]
    kept: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    _derived: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def current(self) -> Key:
        """The newest key that does not wait: the one new values are sealed under."""
        return next(key for key in reversed(self.keys) if not key.waiting)

    def by_id(self, key_id: int) -> Key:
        """The key a sealed value names. A ring that was read before a rotation is read again.

        Raises Unavailable KEY_UNKNOWN, e.g. after restoring too old a key folder.
        """
        for key in (*self.keys, *_newer_keys(self)):
            if key.id == key_id:
                return key
        raise Unavailable(
            "KEY_UNKNOWN",
            f"密钥环 {self.purpose} 中没有编号为 {key_id} 的密钥。",
            f"The keyring {self.purpose} has no key {key_id}.",
            next_zh="请恢复包含该密钥的密钥文件。",
            next_en="Restore the key file that holds it.",
        )

    def derive(self, label: str) -> bytes:
        """32 bytes bound to a label of `LABELS`: HKDF-SHA256 (RFC 5869) of the oldest secret, so that rotation keeps
        them. Raises ValueError for another label.
        """
        if label not in LABELS[self.purpose]:
            raise ValueError(f"{label!r} is no label of the keyring {self.purpose}")
        if label not in self._derived:
            self._derived[label] = self.kept.get(label) or derive_from(self.keys[0], label)
        return self._derived[label]

    def hmac(self, label: str, data: bytes) -> bytes:
        """HMAC-SHA256 of `data` under ``derive(label)``: 32 bytes."""
        return stdlib_hmac.digest(self.derive(label), data, "sha256")


def derive_from(key: Key, label: str) -> bytes:
    """32 bytes from this very key; changes with it. HKDF-SHA256, info ``onecard:<label>``, no salt."""
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=f"onecard:{label}".encode()).derive(key.secret)


def load(purpose: str, environment: Mapping[str, str] | None = None) -> Keyring:
    """The keyring of a purpose, read anew each time so that a rotated file is seen.

    Raises Unavailable KEYS_MISSING or KEYS_MALFORMED.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"unknown purpose of keys: {purpose!r}, expected one of {PURPOSES}")
    environment = os.environ if environment is None else environment
    inline = environment.get(f"ONECARD_KEY_{purpose.upper()}")
    return _parse(purpose, inline if inline is not None else _read(purpose, environment.get("ONECARD_KEYS", "")))


def _newer_keys(ring: Keyring) -> tuple[Key, ...]:
    """The keys this process would read now, if they can be read at all."""
    try:
        return load(ring.purpose).keys
    except Unavailable:
        return ()


def create(folder: Path | str) -> list[Path]:
    """Make a folder's missing key files (mode 600, folder 700) and return them. Existing files are left alone."""
    folder = Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing = [
        (purpose, folder / f"{purpose}.json") for purpose in PURPOSES if not (folder / f"{purpose}.json").exists()
    ]
    return [path for purpose, path in missing if write_new(path, text_of(Keyring(purpose, (fresh_key(1),))))]


def fresh_key(key_id: int, *, waiting: bool = False) -> Key:
    """A key with a secret just drawn, for the cipher of the node's suite. Raises as `suite.of_node`."""
    return Key(key_id, secrets.token_bytes(SECRET_BYTES), waiting, suite.of_node().cipher)


def text_of(ring: Keyring) -> str:
    """A ring as its file holds it."""
    kept = {label: ring.kept[label].hex() for label in sorted(ring.kept)}
    entries = [_entry_of(key) for key in ring.keys]
    return json.dumps({"purpose": ring.purpose, "keys": entries, **({"kept": kept} if kept else {})}) + "\n"


def _entry_of(key: Key) -> dict[str, object]:
    entry: dict[str, object] = {"id": key.id, "secret": key.secret.hex()}
    if key.waiting:
        entry["waiting"] = True
    if key.cipher != CIPHERS[0]:
        entry["cipher"] = key.cipher
    return entry


def write_new(path: Path, text: str) -> bool:
    """Write a file that is whole or absent and replaces none: link fails where rename() would overwrite a live key."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes mode 600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    return True


def _read(purpose: str, folder: str) -> str:
    path = Path(folder) / f"{purpose}.json"
    try:
        return path.read_text(encoding="ascii") if folder else _refuse_missing(purpose, "ONECARD_KEYS")
    except OSError as error:
        return _refuse_missing(purpose, f"{path}: {error.strerror}")
    except UnicodeDecodeError as error:
        raise _malformed(purpose) from error


def _refuse_missing(purpose: str, where: str) -> str:
    raise Unavailable(
        "KEYS_MISSING",
        f"找不到用途为 {purpose} 的密钥（{where}）。",
        f"The keys for {purpose} cannot be read ({where}).",
        next_zh="请将 ONECARD_KEYS 指向密钥文件夹，并检查该文件的读取权限。",
        next_en="Point ONECARD_KEYS at the folder of key files and check that this process may read them.",
    )


def _malformed(purpose: str) -> Unavailable:
    """Says which ring is broken and nothing of its content: the text may end in a log."""
    return Unavailable(
        "KEYS_MALFORMED",
        f"用途为 {purpose} 的密钥内容格式不正确。",
        f"The keys for {purpose} are malformed.",
        next_zh="应为 JSON：purpose 与文件名一致，keys 中每项有由小到大的 id（1–255）和 64 位十六进制 secret。"
        "请从备份恢复。",
        next_en="Expected JSON: purpose as the file is named, keys each with an id of 1-255, ascending, and a secret"
        " of 64 hex digits. Restore it from your backup.",
    )


@lru_cache(maxsize=64)
def _parse(purpose: str, text: str) -> Keyring:
    try:
        content = json.loads(text)
        keys = tuple(
            Key(
                int(entry["id"]),
                bytes.fromhex(entry["secret"]),
                bool(entry.get("waiting")),
                str(entry.get("cipher", CIPHERS[0])),
            )
            for entry in content["keys"]
        )
        kept = {str(label): bytes.fromhex(derived) for label, derived in content.get("kept", {}).items()}
        named = content["purpose"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _malformed(purpose) from None
    sound = named == purpose and any(not key.waiting for key in keys) and all(1 <= key.id <= 255 for key in keys)
    sound = sound and all(key.cipher in CIPHERS for key in keys)
    # Out of order, what derives from the oldest would be another value: codes would name other people's cards.
    sound = sound and all(before.id < after.id for before, after in pairwise(keys))
    secrets_of = [*(key.secret for key in keys), *kept.values()]
    if not sound or any(len(s) != SECRET_BYTES for s in secrets_of):
        raise _malformed(purpose)
    return Keyring(purpose, keys, kept)
