"""Makes the status lists (状态列表) that gates without a line decide by: one a China day, for today and for tomorrow,
whose codes phones hold already before midnight.

What is marked
    An e-card is marked SUSPENDED while its card is lost, paused or locked and not yet cancelled, INVALID once it is
    cancelled or the e-card closed. Whatever is not marked is VALID, also a serial that nobody has: a gate that has not
    heard from us since the morning must let in who signed up at noon, and a code with such a serial takes the issuer's
    key, against whose loss the list of withdrawn keys is there. Marking what does not exist would also make the list
    of a city of ten million twelve times as large, for every gate and every five minutes.

What it costs
    Only what is marked is read, by two indexes that hold nothing else. It is drawn by serial first; of that, only what
    differs from what this process drew before goes through the day's permutation. So a minute costs what moved in it,
    and the whole is permuted once a day. Nothing is signed while nothing is new, until a list grows old.

A list is one row: a worker that is killed leaves the list before, and the next turn makes the new one.
"""

import datetime as dt
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from sys import byteorder
from typing import Final

from django.db import transaction

from onecard.foundation import clock, crypto, keys, sql, suite
from onecard.foundation.postgres.raw import rows
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.models import FORMS, SERIALS, StatusList
from onecard_kit import status_list
from onecard_kit.refs import permutation
from onecard_kit.status_list import Status
from onecard_kit.suites import Purpose, Signer

TTL_S: Final = 300
"""A gate asks again after so many seconds."""
OLD_S: Final = TTL_S - 30
"""A list is made anew at this age although it says the same: its age is what tells a gate that it is up to date."""
AFTER_THE_DAY: Final = dt.timedelta(hours=1)
"""How long a day's list outlives the day, for codes shown at midnight and clocks that are off."""
KEPT_DAYS: Final = 7
"""Lists of past days are kept as long as an offline gate may take to hand in what it decided by them."""

PRIMITIVE: Final = "onecard.kernel.ecards"
_NOTHING: Final = bytes(SERIALS // 4)


@dataclass(frozen=True)
class Drawn:
    """The same marks twice: by serial, and by the refs of one day."""

    by_serial: bytes
    by_ref: bytes


_drawn: dict[tuple[bytes, dt.date], Drawn] = {}


@transaction.atomic
def build(issuer: str) -> int:
    """Make the lists of an issuing place that are missing, out of date or old, and drop those past keeping; how many
    were made.

    None before there is a key that signs. Two at once wait for one another, and the second finds nothing to do.
    """
    _one_at_a_time()
    now = clock.now()
    today = clock.day_of(now)
    signer = _signer()
    if signer is None:
        return 0
    by_serial = _by_serial()
    digest = blake2b(by_serial, digest_size=16).digest()
    days = _wanting(now, (today, today + dt.timedelta(days=1)), signer.kid, digest)
    number = _last_number() + 1
    for day in days:
        _store(issuer, day, number, now, signer, digest, _by_ref(day, by_serial))
    StatusList.objects.filter(day__lt=today - dt.timedelta(days=KEPT_DAYS)).delete()
    return len(days)


def _one_at_a_time() -> None:
    """The number is this table's, in a range that is ours."""
    rows("SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'ecards_status_list'::regclass::oid::bigint)")


def _signer() -> Signer | None:
    """The key that signs now."""
    key = queries.signing_key(Purpose.CODES)
    if key is None:
        return None
    seed = crypto.open_sealed(keys.load("codes"), bytes(key.private_sealed), f"ecards_key.private_sealed:{key.pk}")
    return Signer.of(suite.signature_suite(key.suite), bytes(key.kid), seed)


def _wanting(now: dt.datetime, days: tuple[dt.date, ...], kid: bytes, digest: bytes) -> list[dt.date]:
    """The days whose list is missing, says something else, is signed by another key, or is old."""
    fresh = {
        (day, form)
        for day, form, _, made_at, signed_by, said, _ in rows(sql.load(PRIMITIVE, "status_lists"), now)
        if bytes(signed_by) == kid and bytes(said) == digest and (now - made_at).total_seconds() < OLD_S
    }
    return [day for day in days if not fresh.issuperset((day, form) for form in FORMS)]


def _last_number() -> int:
    last: int = rows("SELECT coalesce(max(number), 0) FROM ecards_status_list")[0][0]
    return last


def _store(
    issuer: str, day: dt.date, number: int, now: dt.datetime, signer: Signer, digest: bytes, entries: bytes
) -> None:
    """Sign a day's list in every form and put each in the place of the one before."""
    expires_at = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), clock.CHINA) + AFTER_THE_DAY
    made = status_list.StatusList(
        status_list.subject_of(issuer, day), int(now.timestamp()), int(expires_at.timestamp()), TTL_S, entries
    )
    bodies = {"cwt": status_list.to_cwt(made, signer), "jwt": status_list.to_jwt(made, signer).encode()}
    for form in FORMS:
        etag = blake2b(bodies[form], digest_size=16).hexdigest()
        rows(
            sql.load(PRIMITIVE, "store_status_list"),
            day, form, number, now, expires_at, signer.kid, digest, etag, bodies[form],
        )  # fmt: skip


# --- Drawing ------------------------------------------------------------------------------------------------------


def _by_serial() -> bytes:
    """The marks at this moment, two bits a serial."""
    return status_list.pack(SERIALS, _marked())


def _marked() -> Iterator[tuple[int, Status]]:
    for status, packed in rows(sql.load(PRIMITIVE, "marked_serials")):
        serials = array("i", packed)
        if byteorder == "little":
            serials.byteswap()
        mark = Status(status)
        for serial in serials:
            yield serial, mark


def _by_ref(day: dt.date, by_serial: bytes) -> bytes:
    """The same marks at the refs of a day. What this process drew of that day before is changed only where it differs;
    a day that is over is forgotten.
    """
    ref_key = keys.load("codes").derive("ref")
    before = _drawn.get((ref_key, day), Drawn(_NOTHING, _NOTHING))
    ref = permutation(ref_key, day).ref
    entries = bytearray(before.by_ref)
    for serial, change in _changes(before.by_serial, by_serial):
        at = ref(serial)
        entries[at // 4] ^= change << at % 4 * 2
    for known in [known for known in _drawn if known[1] < day - dt.timedelta(days=1)]:
        _drawn.pop(known, None)
    after = _drawn[ref_key, day] = Drawn(by_serial, bytes(entries))
    return after.by_ref


def _changes(before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    """(serial, bits that turn) where two drawings differ."""
    differing = int.from_bytes(before, "little") ^ int.from_bytes(after, "little")
    for found in re.finditer(rb"[^\0]", differing.to_bytes(len(before), "little")):
        four = found[0][0]
        for place in range(4):
            if turned := four >> place * 2 & 3:
                yield found.start() * 4 + place, turned
