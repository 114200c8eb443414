"""Hands the status lists (状态列表) out: `GET /v1/status-lists/{issuer}/{name}`, to anyone; a name is a China day, or
that of a list whose indexes are the same for life.

A list is kept in memory until a look at its number, once a second at most and only when somebody asks, tells that
there is a newer one. While the database is away or slow, what is kept is handed out: a list says itself how old it is
and when it ends. A list of a withdrawn key is not handed out.
"""

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from onecard.foundation import clock
from onecard.foundation.errors import NotFound, OneCardError, Unavailable
from onecard.gateway import errors
from onecard.gateway.wire import Response
from onecard_kit.pack import DAYS_OF_CODES, FIXED
from onecard_kit.status_list import subject_of

log = logging.getLogger("onecard.gateway")

PATH: Final = "/v1/status-lists/"
LOOK_S: Final = 1.0
LOOK_S_MAX: Final = 0.5
"""So long a caller waits for a look; then it gets what is kept."""
KINDS: Final = {"cwt": "application/statuslist+cwt", "jwt": "application/statuslist+jwt"}
# As the lists' own `ttl` says.
_CACHED: Final = (("cache-control", "public, max-age=300"), ("vary", "accept"))

Key = tuple[str, str]
"""A list's name and form."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A list in memory, with both its answers made."""

    number: int
    etag: str
    whole: Response
    unchanged: Response


@dataclass(slots=True)
class Lists:
    """The lists of an issuing place. `fetch_numbers` reads ``ecards/sql/status_lists.sql``, `fetch_list`
    ``ecards/sql/status_list.sql``; both raise Unavailable when the database is away.
    """

    issuer: str
    fetch_numbers: Callable[[dt.datetime], Awaitable[Sequence[Row]]]
    fetch_list: Callable[[str, str], Awaitable[Row | None]]
    _numbers: dict[Key, int] | None = None
    _kept: dict[Key, Kept] = field(default_factory=dict)
    _looked_at: float = -LOOK_S
    _look: asyncio.Task[None] | None = None
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, path: str, accept: str | None, if_none_match: str | None) -> Response:
        """The list that a path names, in the form that the caller would rather have, or 304.

        Raises NotFound LIST_UNKNOWN or LIST_NOT_MADE, NotAcceptable NOT_ACCEPTABLE, Unavailable DATABASE_AWAY.
        """
        name = path.rpartition("/")[2]
        if path != subject_of(self.issuer, name):
            raise _unknown()
        form = form_of(accept)
        if form is None:
            raise errors.not_acceptable(" ".join(KINDS.values()))
        await self._look_at_numbers()
        kept = await self._newest((name, form))
        return kept.unchanged if is_known(kept.etag, if_none_match) else kept.whole

    async def _look_at_numbers(self) -> None:
        """Look which lists there are, unless somebody just did; callers that come meanwhile share one look."""
        if self._look is None and time.monotonic() - self._looked_at < LOOK_S:
            return
        if self._look is None:
            self._look = asyncio.get_running_loop().create_task(self._look_once())
        done, _ = await asyncio.wait({self._look}, timeout=LOOK_S_MAX)
        for look in done:
            look.result()

    async def _look_once(self) -> None:
        try:
            rows = await self.fetch_numbers(clock.now())
            self._numbers = {(row["name"], row["form"]): row["number"] for row in rows}
            self._kept = {key: kept for key, kept in self._kept.items() if key in self._numbers}
        except OneCardError as error:
            log.warning("no look at the status lists: %s", error.code)
        finally:
            self._looked_at = time.monotonic()
            self._look = None

    async def _newest(self, key: Key) -> Kept:
        """The newest list that is known, fetched once however many wait for it; the one before if it cannot be."""
        if self._numbers is None:
            raise errors.database_away()
        if key not in self._numbers:
            raise _not_made() if _should_be(key[0]) else _unknown()
        if (kept := self._current(key)) is not None:
            return kept
        async with self._fetching:
            if (kept := self._current(key)) is not None:
                return kept
            try:
                return await self._fetch(key)
            except (NotFound, Unavailable):
                if key not in self._kept:
                    raise
                return self._kept[key]

    def _current(self, key: Key) -> Kept | None:
        kept, number = self._kept.get(key), (self._numbers or {}).get(key, 0)
        return kept if kept is not None and kept.number >= number else None

    async def _fetch(self, key: Key) -> Kept:
        row = await self.fetch_list(*key)
        if row is None:
            raise _not_made()
        etag = f'"{row["etag"]}"'
        headers = (("etag", etag), *_CACHED)
        kind = KINDS[key[1]]
        kept = self._kept[key] = Kept(
            row["number"], etag, Response(200, bytes(row["body"]), headers, kind), Response(304, b"", headers, kind)
        )
        return kept

    def close(self) -> None:
        """End a look that is under way."""
        if self._look is not None:
            self._look.cancel()


def form_of(accept: str | None) -> str | None:
    """The form that an Accept header prefers (RFC 9110 §12.5.1), the shorter one where it does not say; None where it
    takes neither.
    """
    wanted = dict(_weighed(each) for each in (accept or "*/*").lower().split(","))
    weights = {
        form: next((wanted[kind] for kind in (KINDS[form], "application/*", "*/*") if kind in wanted), 0.0)
        for form in KINDS
    }
    best = max(KINDS, key=lambda form: weights[form])
    return best if weights[best] > 0 else None


def _weighed(media_range: str) -> tuple[str, float]:
    """A media range and its weight; 0 where that is no number."""
    kind, *parameters = (part.strip() for part in media_range.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return kind, float(weight)
    except ValueError:
        return kind, 0.0


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether the caller holds this very list (RFC 9110 §13.1.2)."""
    if if_none_match is None:
        return False
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in if_none_match.split(","))


def _should_be(name: str) -> bool:
    """Whether there is to be a list of this name now."""
    today = clock.today()
    return name in FIXED or name in {(today + dt.timedelta(days=n)).isoformat() for n in range(DAYS_OF_CODES)}


def _unknown() -> NotFound:
    return NotFound(
        "LIST_UNKNOWN",
        "没有该发卡地该名称的状态列表。",
        "There is no status list of that issuing place and name.",
        next_zh="请取本发卡地今日起八日内（北京时间）的列表，或papers、cards、terminals。",
        next_en="Ask for this issuing place's list of one of the eight days from today on (China time), or for papers,"
        " cards, terminals.",
    )


def _not_made() -> NotFound:
    return NotFound(
        "LIST_NOT_MADE",
        "该状态列表尚未生成。",
        "That status list is not made yet.",
        next_zh="请一分钟后再取；此前按手中的列表判定。",
        next_en="Ask again in a minute, and decide by the list you have until then.",
    )
