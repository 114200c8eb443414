"""`onecard keys rotate RING` and `onecard keys retire RING`: every sealed value under the newest key of its ring, while
everybody works.

One rotation at a time: a ring with one key gets another, a ring with several is carried on with until nothing names an
old one, and then the old ones are retired. Rows are gone through by id, a batch a transaction; a value names its key,
so whoever was killed goes on by running the command again.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from onecard.foundation import crypto, key_files, keys
from onecard.foundation.actors import system
from onecard.foundation.errors import BadInput, Conflict, OneCardError
from onecard.foundation.keys import Keyring
from onecard.foundation.postgres.raw import rows
from onecard.foundation.terminal import say
from onecard.kernel.audit import actions as audit
from onecard.kernel.ecards.refs import PLACE as REF_PLACE
from onecard.kernel.signins.adapters import SECRET_PLACE

BATCH = 500
ACTOR = system("operator")
SAY_EVERY_S = 1.0
# Whoever read the ring before its new key came may still seal under the old one: look again, so many times.
ROUNDS = 3
BEFORE_ALL = {"bigint": 0, "uuid": UUID(int=0)}
"""What comes before every id of a type."""


class Sealed(NamedTuple):
    """The sealed values of a table. `places` are what its columns' seals are bound to; `{}` is the row's `number`.

    id_type         of the table's ids, which rows are gone through by
    reads, writes   SQL that takes a value out of its column as bytea (``{}`` is the column), and puts one in (``{}``
                    is the value)
    """

    ring: str
    table: str
    places: Mapping[str, str]
    number: str = "id"
    reads: str = "{}"
    writes: str = "{}"
    id_type: str = "bigint"


TABLES = (
    Sealed(
        "identity",
        "holders_holder",
        {f"{field}_sealed": f"holders_holder.{field}:{{}}" for field in ("number", "name", "phone", "address")},
    ),
    Sealed("identity", "holders_certificate", {"number_sealed": "holders_certificate.number:{}"}),
    Sealed("identity", "holders_correction", {"old_sealed": "holders_correction.old:{}"}),
    Sealed(
        "identity",
        "mfa_authenticator",
        {"data": SECRET_PLACE},
        reads="decode({}->>'secret', 'base64')",
        writes="jsonb_set(data, '{{secret}}', to_jsonb(translate(encode({}, 'base64'), E'\\n', '')))",
    ),
    Sealed("identity", "signins_code", {"code_sealed": "signins_code.code_sealed:{}"}, id_type="uuid"),
    Sealed("codes", "ecards_key", {"private_sealed": "ecards_key.private_sealed:{}"}),
    Sealed("codes", "ecards_ref_key", {"key_sealed": REF_PLACE}),
    Sealed(
        "terminals", "catalogue_terminal_key", {"key_sealed": "catalogue_terminal_key.key_sealed:{}"}, "terminal_id"
    ),
)


def rotate(arguments: argparse.Namespace) -> int:
    """Add a key if the ring has but one, and re-seal what is under others; 1 if something is left."""
    _refuse_unsealed(arguments.ring)
    if arguments.prepare:
        return _prepare(arguments.ring)
    ring = _started(arguments.ring)
    for _ in range(ROUNDS):
        reseal(ring, arguments.batch)
        left = stale(ring)
        if not left:
            break
    if left:
        say(f"还有 {left} 个值使用旧密钥，请再次运行。", f"{left} values are still under old keys; run this again.")
        return 1
    say(
        f"密钥环 {ring.purpose} 的全部加密值已使用密钥 {ring.current.id}。"
        f"确认各进程都已读到新密钥文件后，运行 onecard keys retire {ring.purpose}。",
        f"Everything of {ring.purpose} is sealed under key {ring.current.id}. Once every process has the new file, run"
        f" onecard keys retire {ring.purpose}.",
    )
    return 0


def retire(arguments: argparse.Namespace) -> int:
    """Forget the old keys of a ring that nothing is sealed under. Raises Conflict KEY_IN_USE, NOTHING_TO_RETIRE."""
    _refuse_unsealed(arguments.ring)
    folder, ring = key_files.folder_of(arguments.ring), keys.load(arguments.ring)
    if ring.keys == (ring.current,):
        raise Conflict(
            "NOTHING_TO_RETIRE",
            f"密钥环 {ring.purpose} 只有一个密钥。",
            f"The keyring {ring.purpose} has but one key.",
        )
    if ring.keys[-1].waiting or (left := stale(ring)):
        said = "" if ring.keys[-1].waiting else f"（{left}）"
        raise Conflict(
            "KEY_IN_USE",
            f"密钥环 {ring.purpose} 的旧密钥仍在使用{said}。",
            f"Old keys of {ring.purpose} are still in use{said}.",
            next_zh=f"请先运行 onecard keys rotate {ring.purpose}。",
            next_en=f"Run onecard keys rotate {ring.purpose} first.",
        )
    with transaction.atomic():
        old = [key.id for key in ring.keys[:-1]]
        audit.record(ACTOR, "keys.retire", f"ring:{ring.purpose}", detail={"keys": old})
        key_files.retire(folder, ring.purpose)
    gone = ", ".join(map(str, old))
    say(
        f"密钥 {gone} 已从密钥环 {ring.purpose} 移除。此前的数据库备份仍需此前的密钥文件。",
        f"Key {gone} is gone from {ring.purpose}. Backups of the database from before need the key file from before.",
    )
    return 0


def reseal(ring: Keyring, batch: int = BATCH) -> None:
    """Seal every value of a ring under its current key, and say how far it is."""
    tables = [table for table in TABLES if table.ring == ring.purpose]
    total = sum(_count(table, "true") for table in tables)
    done, said = total - stale(ring), 0.0
    for table in tables:
        for count in _resealed(ring, table, batch):
            done += count
            if time.monotonic() - said >= SAY_EVERY_S:
                said = time.monotonic()
                say(f"{ring.purpose} {done}/{total}")
    say(f"{ring.purpose} {done}/{total}")


def stale(ring: Keyring) -> int:
    """How many rows have a value under another key than the current one."""
    return sum(_count(table, _stale(table, ring)) for table in TABLES if table.ring == ring.purpose)


def _resealed(ring: Keyring, table: Sealed, batch: int) -> Iterator[int]:
    """Batch after batch, each in a transaction of its own: how many rows it changed."""
    after: object = BEFORE_ALL[table.id_type]
    while True:
        with transaction.atomic():
            found = rows(_find(table, ring), after, batch)
            if not found:
                return
            fresh = zip(*(_fresh(ring, table, row) for row in found), strict=True)
            rows(_save(table), *(list(column) for column in fresh))
        after = found[-1][0]
        yield len(found)


def _fresh(ring: Keyring, table: Sealed, row: tuple[object, ...]) -> tuple[object, ...]:
    """A row's id and its values, each under the current key."""
    row_id, number, *values = row
    places = (place.format(number) for place in table.places.values())
    return row_id, *(_moved(ring, value, place) for value, place in zip(values, places, strict=True))  # type: ignore[arg-type]


def _moved(ring: Keyring, value: bytes | None, place: str) -> bytes | None:
    """A value under the current key; one that does not open is said and left as it is, for somebody to look at."""
    if value is None or crypto.key_id(value) == ring.current.id:
        return value
    try:
        return crypto.seal(ring, crypto.open_sealed(ring, value, place), place)
    except OneCardError as error:
        if error.code != "SEAL_BROKEN":
            raise
        say(error.zh, error.en)
        return value


# Statements: tables and columns are those named above, and no input reaches them ------------------------------------


def _find(table: Sealed, ring: Keyring) -> str:
    """$1 after this id, $2 at most so many. Whoever changes a row meanwhile waits for the batch."""
    values = ", ".join(table.reads.format(column) for column in table.places)
    return (
        f"SELECT id, {table.number}, {values} FROM {table.table} WHERE id > $1 AND ({_stale(table, ring)})"  # noqa: S608
        " ORDER BY id LIMIT $2 FOR NO KEY UPDATE"
    )


def _save(table: Sealed) -> str:
    """$1 ids, then an array for each column; a value that there was none of stays none."""
    columns = list(table.places)
    arrays = ", ".join(f"${n}::bytea[]" for n in range(2, len(columns) + 2))
    names = ", ".join(f"value_{n}" for n in range(len(columns)))
    changes = ", ".join(f"{column} = {table.writes.format(f'w.value_{n}')}" for n, column in enumerate(columns))
    return (
        f"UPDATE {table.table} t SET {changes} FROM unnest($1::{table.id_type}[], {arrays}) AS w (row_id, {names})"  # noqa: S608
        " WHERE t.id = w.row_id"
    )


def _stale(table: Sealed, ring: Keyring) -> str:
    reads = (table.reads.format(column) for column in table.places)
    return " OR ".join(f"get_byte({value}, 1) <> {ring.current.id}" for value in reads)


def _count(table: Sealed, condition: str) -> int:
    count: int = rows(f"SELECT count(*) FROM {table.table} WHERE {condition}")[0][0]  # noqa: S608
    return count


# The ring's file ------------------------------------------------------------------------------------------------------


def _started(purpose: str) -> Keyring:
    """The ring with a key to move to: the newest of several, one that waited, or a fresh one."""
    ring = keys.load(purpose)
    if len(ring.keys) > 1 and not ring.keys[-1].waiting:
        return ring
    folder = key_files.folder_of(purpose)
    with transaction.atomic():
        key = ring.keys[-1].id if ring.keys[-1].waiting else ring.keys[-1].id + 1
        audit.record(ACTOR, "keys.rotate", f"ring:{purpose}", detail={"key": key})
        added = key_files.begin(folder, purpose) if ring.keys[-1].waiting else key_files.add(folder, purpose)
    say(f"密钥环 {purpose} 自此使用密钥 {added.id}。", f"The keyring {purpose} seals under key {added.id} from now on.")
    return keys.load(purpose)


def _prepare(purpose: str) -> int:
    """A key that opens and does not seal yet, for processes with a copy of the file."""
    if len(keys.load(purpose).keys) > 1:
        raise Conflict(
            "ROTATION_UNFINISHED",
            f"密钥环 {purpose} 已有待用或待移除的密钥。",
            f"The keyring {purpose} has a key that waits, or old ones to retire.",
            next_zh=f"请运行 onecard keys rotate {purpose}，或 keys retire {purpose}。",
            next_en=f"Run onecard keys rotate {purpose}, or keys retire {purpose}.",
        )
    key = key_files.add(key_files.folder_of(purpose), purpose, waiting=True)
    say(
        f"密钥 {key.id} 已加入 {purpose}，尚未启用。请把文件分发到各进程，再运行 onecard keys rotate {purpose}。",
        f"Key {key.id} waits in {purpose}. Give the file to every process, then run onecard keys rotate {purpose}.",
    )
    return 0


def _refuse_unsealed(purpose: str) -> None:
    rings = sorted({table.ring for table in TABLES})
    if purpose not in rings:
        raise BadInput(
            "NOTHING_SEALED",
            f"密钥环 {purpose} 不用于加密数据，由其首个密钥派生的值不可更换。",
            f"Nothing is sealed under {purpose}; what derives from its first key never changes.",
            next_zh=f"可更换：{'、'.join(rings)}。",
            next_en=f"There are: {', '.join(rings)}.",
        )
