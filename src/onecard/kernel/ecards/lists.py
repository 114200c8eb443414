"""Makes the status lists (状态列表) that gates without a line decide by.

A list for each China day, of its codes
    Today's, tomorrow's, whose codes phones hold already before midnight, and those of the days that a gate may be on
    its own. An e-card is marked SUSPENDED while its card is lost, paused or locked and not yet cancelled, INVALID once
    it is cancelled or the e-card closed. Whatever is not marked is VALID, also a serial that nobody has: a gate that
    has not heard from us since the morning must let in who signed up at noon, and a code with such a serial takes the
    issuer's key, against whose loss the list of withdrawn keys is there. Marking what does not exist would also make
    the list of a city of ten million twelve times as large, for every gate and every five minutes.

And one each of what keeps its index for life (`onecard_kit.pack.FIXED`)
    Paper codes, which are revoked one by one; cards, by whose files a gate knows them; terminals. The same marks: a
    card that is not activated yet is SUSPENDED, too, and a terminal is INVALID once it ended.

What it costs
    Only what is marked is read, by indexes that hold nothing else. Of a day it is drawn by serial first; of that, only
    what differs from what this process drew before goes through the day's permutation. So a minute costs what moved
    in it, and the whole is permuted once a day. Lists of days after tomorrow are made once an hour. Nothing is signed
    while nothing is new, until a list grows old.

A list is one row: a worker that is killed leaves the list before, and the next turn makes the new one.
"""

import datetime as dt
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from sys import byteorder
from typing import Final, NamedTuple

from django.db import transaction

from onecard.foundation import clock, crypto, keys, sql, suite
from onecard.foundation.postgres.raw import rows
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.models import FORMS, SERIALS, StatusList
from onecard.kernel.ecards.refs import Refs
from onecard_kit import status_list
from onecard_kit.pack import DAYS_OF_CODES, FIXED
from onecard_kit.refs import permutation
from onecard_kit.status_list import Status
from onecard_kit.suites import Purpose, Signer

TTL_S: Final = 300
"""A gate asks again after so many seconds."""
OLD_S: Final = TTL_S - 30
"""A list is made anew at this age although it says the same: its age is what tells a gate that it is up to date."""
AHEAD_OLD_S: Final = 3600
"""The same of days after tomorrow, whatever they would say: who decides by one has been away for as long anyway."""
AFTER_THE_DAY: Final = dt.timedelta(hours=1)
"""How long a day's list outlives the day, for codes shown at midnight and clocks that are off."""
FIXED_LIFE: Final = dt.timedelta(days=30)
"""How long a list without a day holds; how old one a gate decides by is for its pack to say, and is less."""
KEPT_DAYS: Final = 7
"""Lists of past days are kept as long as an offline gate may take to hand in what it decided by them."""
ROOM: Final = 1 << 20
"""A list that grows has so many indexes more than there are, since past its end nothing is valid: what is issued while
a gate is away. Unmarked, they take a few hundred bytes."""

PRIMITIVE: Final = "onecard.kernel.ecards"
_NOTHING: Final = bytes(SERIALS // 4)


@dataclass(frozen=True)
class Drawn:
    """The same marks twice: by serial, and by the refs of one day."""

    by_serial: bytes
    by_ref: bytes


class Held(NamedTuple):
    """What is known of a list that holds: when it was made, by which key, and the digest of what it says."""

    made_at: dt.datetime
    kid: bytes
    digest: bytes


class Wanted(NamedTuple):
    """A list as it should be: its name and day, until when it holds, the digest of what it says, and how to draw it.

    `is_ahead`: it is not made anew for what it says, only once an hour.
    """

    name: str
    day: dt.date | None
    expires_at: dt.datetime
    digest: bytes
    draw: Callable[[], bytes]
    is_ahead: bool = False

    def is_fresh(self, held: Held | None, kid: bytes, now: dt.datetime) -> bool:
        """Whether what is held still says so, and is young enough."""
        if held is None or held.kid != kid:
            return False
        age_s = (now - held.made_at).total_seconds()
        return age_s < AHEAD_OLD_S if self.is_ahead else held.digest == self.digest and age_s < OLD_S


_drawn: dict[tuple[bytes, dt.date], Drawn] = {}


@transaction.atomic
def build(issuer: str) -> int:
    """Make the lists of an issuing place that are missing, out of date or old, and drop those past keeping; how many
    were made.

    None before there is a key that signs. Two at once wait for one another, and the second finds nothing to do.
    """
    _one_at_a_time()
    now = clock.now()
    signer = signer_now()
    if signer is None:
        return 0
    held = {
        (name, form): Held(made_at, bytes(kid), bytes(digest))
        for name, form, _, made_at, kid, digest, _ in rows(sql.load(PRIMITIVE, "status_lists"), now)
    }
    number = _last_number() + 1
    made = [
        wanted
        for wanted in (*_of_days(clock.day_of(now), queries.refs()), *_fixed(now))
        if not all(wanted.is_fresh(held.get((wanted.name, form)), signer.kid, now) for form in FORMS)
    ]
    for wanted in made:
        _store(issuer, wanted, number, now, signer)
    StatusList.objects.filter(day__lt=clock.day_of(now) - dt.timedelta(days=KEPT_DAYS)).delete()
    return len(made)


def _one_at_a_time() -> None:
    """The number is this table's, in a range that is ours."""
    rows("SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'ecards_status_list'::regclass::oid::bigint)")


def signer_now() -> Signer | None:
    """The key that signs lists and codes now, opened; None before there is one."""
    key = queries.signing_key(Purpose.CODES)
    if key is None:
        return None
    seed = crypto.open_sealed(keys.load("codes"), bytes(key.private_sealed), f"ecards_key.private_sealed:{key.pk}")
    return Signer.of(suite.signature_suite(key.suite), bytes(key.kid), seed)


def _last_number() -> int:
    last: int = rows("SELECT coalesce(max(number), 0) FROM ecards_status_list")[0][0]
    return last


def _store(issuer: str, wanted: Wanted, number: int, now: dt.datetime, signer: Signer) -> None:
    """Sign a list in every form and put each in the place of the one before."""
    subject, expires = status_list.subject_of(issuer, wanted.name), int(wanted.expires_at.timestamp())
    made = status_list.StatusList(subject, int(now.timestamp()), expires, TTL_S, status_list.compress(wanted.draw()))
    bodies = {"cwt": status_list.to_cwt(made, signer), "jwt": status_list.to_jwt(made, signer).encode()}
    for form in FORMS:
        etag = blake2b(bodies[form], digest_size=16).hexdigest()
        rows(
            sql.load(PRIMITIVE, "store_status_list"),
            wanted.name, wanted.day, form, number, now, wanted.expires_at, signer.kid, wanted.digest, etag,
            bodies[form],
        )  # fmt: skip


# --- What there should be -----------------------------------------------------------------------------------------


def _of_days(today: dt.date, refs: Refs) -> Iterator[Wanted]:
    """The lists of codes, from today's to the last that a gate may need while it is on its own."""
    by_serial = status_list.pack(SERIALS, _marked("serials"))
    digest = _digest(by_serial)
    for ahead in range(DAYS_OF_CODES):
        day = today + dt.timedelta(days=ahead)
        ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), clock.CHINA) + AFTER_THE_DAY
        draw = partial(_by_ref_anew if ahead > 1 else _by_ref, refs.key_on(day), day, by_serial)
        yield Wanted(day.isoformat(), day, ends, digest, draw, is_ahead=ahead > 1)


def _fixed(now: dt.datetime) -> Iterator[Wanted]:
    """The lists of what keeps its index for life."""
    highest = rows(sql.load(PRIMITIVE, "highest_indexes"))[0]
    for name, top in zip(FIXED, highest, strict=True):
        size = ((top or 0) // ROOM + 2) * ROOM
        entries = status_list.pack(size, _marked(name))
        yield Wanted(name, None, now + FIXED_LIFE, _digest(entries), partial(bytes, entries))


def _digest(entries: bytes) -> bytes:
    return blake2b(entries, digest_size=16).digest()


# --- Drawing ------------------------------------------------------------------------------------------------------


def _marked(what: str) -> Iterator[tuple[int, Status]]:
    """What is marked at this moment: serials of e-cards, or the indexes of a list of FIXED."""
    for status, packed in rows(sql.load(PRIMITIVE, f"marked_{what}")):
        indexes = array("i", packed)
        if byteorder == "little":
            indexes.byteswap()
        mark = Status(status)
        for index in indexes:
            yield index, mark


def _by_ref(ref_key: bytes, day: dt.date, by_serial: bytes) -> bytes:
    """The same marks at the refs of a day. What this process drew of that day before is changed only where it differs;
    a day that is over is forgotten.
    """
    before = _drawn.get((ref_key, day), Drawn(_NOTHING, _NOTHING))
    after = _drawn[ref_key, day] = Drawn(by_serial, _turned(before, day, ref_key, by_serial))
    for known in [known for known in _drawn if known[1] < day - dt.timedelta(days=1)]:
        _drawn.pop(known, None)
    return after.by_ref


def _by_ref_anew(ref_key: bytes, day: dt.date, by_serial: bytes) -> bytes:
    """The same without keeping it: a day ahead is drawn once an hour."""
    return _turned(Drawn(_NOTHING, _NOTHING), day, ref_key, by_serial)


def _turned(before: Drawn, day: dt.date, ref_key: bytes, by_serial: bytes) -> bytes:
    """What was drawn of a day, with what differs turned."""
    ref = permutation(ref_key, day).ref
    entries = bytearray(before.by_ref)
    for serial, change in _changes(before.by_serial, by_serial):
        at = ref(serial)
        entries[at // 4] ^= change << at % 4 * 2
    return bytes(entries)


def _changes(before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    """(serial, bits that turn) where two drawings differ."""
    differing = int.from_bytes(before, "little") ^ int.from_bytes(after, "little")
    for found in re.finditer(rb"[^\0]", differing.to_bytes(len(before), "little")):
        four = found[0][0]
        for place in range(4):
            if turned := four >> place * 2 & 3:
                yield found.start() * 4 + place, turned
