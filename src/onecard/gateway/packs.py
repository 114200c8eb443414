"""Hands a gate its pack (离线包): `GET /v1/pack`, signed by the terminal as every request of its.

What packs have in common is put together once a revision of the catalogue, day and set of keys; what a point's have,
once a revision and day, however many gates stand there. A gate that holds what there is hears 304; one that does not
gets its own few words put before the rest, signed. The revision is looked at once a second at most, and only when
somebody asks.
"""

import asyncio
import datetime as dt
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import msgspec

from onecard.foundation import clock, workdays
from onecard.foundation.errors import Unavailable
from onecard.foundation.settings import whole_number
from onecard.gateway import errors
from onecard.gateway.issuing import IssuerKeys
from onecard.gateway.lists import is_known
from onecard.gateway.terminals import Signed
from onecard.gateway.wire import Response
from onecard_kit import pack
from onecard_kit.pack import JWT_TYPE, PackKey, PackList
from onecard_kit.status_list import sign_jwt_bytes, subject_of
from onecard_kit.suites import Purpose

log = logging.getLogger("onecard.gateway")

PATH: Final = "/v1/pack"
LOOK_S: Final = 1.0
ONLINE_TIMEOUT_MS: Final = 1500
"""A gate that waited so long for an answer decides by itself: nobody stands before a barrier for longer."""
OLDEST_DAYS: Final = 7
"""Lists of codes are made for so many days ahead, and keys verify for as long after they signed."""
POINTS_KEPT_MAX: Final = 2_000
_KIND: Final = "application/jwt"
# Whoever holds it asks whether it still is what there is.
_CACHED: Final = ("cache-control", "private, no-cache")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """Members of a pack's JSON that many have in common, and their digest."""

    text: bytes
    digest: bytes

    @classmethod
    def of(cls, text: bytes) -> "Shared":
        return cls(text, blake2b(text, digest_size=16).digest())


@dataclass(frozen=True, slots=True)
class Point:
    """What the packs of a point's gates have in common, and what each has of its own."""

    point_id: int
    shared: Shared
    terminals: Mapping[int, bytes]


@dataclass(slots=True)
class Packs:
    """The packs of an issuing place's gates. `fetch_revision` reads the catalogue's revision, `fetch_point`
    ``catalogue/sql/pack.sql`` for a terminal, `fetch_areas` the sets of places; each raises Unavailable when the
    database is away. `oldest_s`: how old a list may be by which a gate decides.
    """

    issuer_keys: IssuerKeys
    fetch_revision: Callable[[], Awaitable[int]]
    fetch_point: Callable[[int, dt.date], Awaitable[Row | None]]
    fetch_areas: Callable[[], Awaitable[Sequence[Row]]]
    oldest_s: int
    _revision: int | None = None
    _looked_at: float = -LOOK_S
    _of: tuple[int, dt.date] | None = None
    _areas: bytes = b"{}"
    _common: dict[tuple[object, ...], Shared] = field(default_factory=dict)
    _points: OrderedDict[int, Point] = field(default_factory=OrderedDict)
    _point_of: dict[int, int] = field(default_factory=dict)
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, signed: Signed, if_none_match: str | None) -> Response:
        """The pack of the gate that asks, or 304. Raises Unavailable DATABASE_AWAY or NO_SIGNING_KEY."""
        try:
            await self.issuer_keys.refresh()
        except Unavailable:
            if not self.issuer_keys.rows:
                raise
        today = clock.today()
        point = await self._point(signed.terminal_id, today)
        common, terminal = self._in_common(today), point.terminals[signed.terminal_id]
        digest = blake2b(common.digest + point.shared.digest + terminal, digest_size=16).hexdigest()
        etag = f'"{digest}"'
        headers = (("etag", etag), _CACHED)
        if is_known(etag, if_none_match):
            return Response(304, b"", headers, _KIND)
        made = b'{"made":%d,"terminal":%b,%b,%b}' % (
            int(clock.now().timestamp()), terminal, point.shared.text, common.text,
        )  # fmt: skip
        return Response(200, sign_jwt_bytes(JWT_TYPE, made, self.issuer_keys.signer()).encode(), headers, _KIND)

    async def _point(self, terminal_id: int, today: dt.date) -> Point:
        """What is known of a terminal's point at the newest revision; what was known before, while the database is
        away.
        """
        async with self._changing:
            try:
                await self._look(today)
                point = self._kept(terminal_id)
                return point if point is not None else await self._fetch(terminal_id, today)
            except Unavailable:
                point = self._kept(terminal_id)
                if point is None:
                    raise
                return point

    async def _look(self, today: dt.date) -> None:
        """Look whether the catalogue changed, unless somebody just did; what was put together before is forgotten."""
        if self._revision is None or time.monotonic() - self._looked_at >= LOOK_S:
            try:
                self._revision = await self.fetch_revision()
            finally:
                self._looked_at = time.monotonic()
        if self._of != (self._revision, today):
            areas = {row["code"]: row["places"] for row in await self.fetch_areas()}
            self._points.clear()
            self._point_of.clear()
            self._common.clear()
            self._areas, self._of = msgspec.json.encode(areas), (self._revision, today)

    def _kept(self, terminal_id: int) -> Point | None:
        point = self._points.get(self._point_of.get(terminal_id, -1))
        if point is not None:
            self._points.move_to_end(point.point_id)
        return point

    async def _fetch(self, terminal_id: int, today: dt.date) -> Point:
        row = await self.fetch_point(terminal_id, today)
        if row is None:  # its signature was good a moment ago: the database is another one
            raise errors.database_away()
        terminals = msgspec.json.decode(row["terminals"], type=dict[int, msgspec.Raw])
        shared = Shared.of(f'"point":{row["point"]},"items":{row["items"]}'.encode())
        point = Point(row["point_id"], shared, {each: bytes(said) for each, said in terminals.items()})
        if row["revision"] == self._revision:  # else it is newer than the rest: good for this answer, not to be kept
            self._points[point.point_id] = point
            self._point_of.update(dict.fromkeys(terminals, point.point_id))
            while len(self._points) > POINTS_KEPT_MAX:
                gone = self._points.popitem(last=False)[1]
                for each in gone.terminals:
                    self._point_of.pop(each, None)
        return point

    def _in_common(self, today: dt.date) -> Shared:
        """What every pack says: sets of places, kinds of days, keys, lists."""
        of = (today, *((row["id"], row["sign_from"], row["sign_to"], row["withdrawn_at"]) for row in self._key_rows()))
        found = self._common.get(of)
        if found is None:
            self._common.clear()
            found = self._common[of] = Shared.of(self._put_together(today))
        return found

    def _key_rows(self) -> list[Row]:
        return [row for row in self.issuer_keys.rows if row["withdrawn_at"] is None]

    def _put_together(self, today: dt.date) -> bytes:
        place = self.issuer_keys.place
        days = (today + dt.timedelta(days=ahead) for ahead in range(pack.DAYS_AHEAD))
        said = {
            "issuer": place,
            "division": place,
            "areas": msgspec.Raw(self._areas),
            "days": {day: workdays.kind_of(day) for day in days},
            "issuers": [place],
            "keys": [_key(place, row) for row in self._key_rows()],
            "lists": _lists(place, self.oldest_s),
            "online_timeout_ms": ONLINE_TIMEOUT_MS,
        }
        return msgspec.json.encode(said)[1:-1]


def oldest_s(environment: Mapping[str, str]) -> int:
    """How old a list may be, from ONECARD_LIST_DAYS. Raises Unavailable SETTING_INVALID."""
    return whole_number(environment, "ONECARD_LIST_DAYS", 1, OLDEST_DAYS, OLDEST_DAYS) * 86_400


def _lists(place: str, oldest_s: int) -> list[PackList]:
    by_day = PackList(pack.CODES, subject_of(place, "{day}"), oldest_s, pack.DAYS_OF_CODES)
    fixed = [PackList(name, subject_of(place, name), oldest_s) for name in pack.FIXED]
    return [by_day, *fixed, PackList(pack.KEYS, "/v1/keys", oldest_s)]


def _key(place: str, row: Row) -> PackKey:
    return PackKey(
        place,
        bytes(row["kid"]).hex(),
        row["suite"],
        bytes(row["public"]).hex(),
        Purpose(row["purpose"]),
        *(None if row[name] is None else int(row[name].timestamp()) for name in ("sign_from", "sign_to", "verify_to")),
    )
