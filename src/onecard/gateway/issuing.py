"""Codes for a phone: up to ten signed windows ahead, so that it shows a code without signal. And the keys that sign
and verify.

Keys are read again every few seconds, and at once when a code names one that is not known; a withdrawn key is refused
in the transaction that records the use.
"""

import asyncio
import datetime as dt
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from onecard.foundation import clock, crypto, suite
from onecard.foundation.errors import Unavailable
from onecard.foundation.keys import Keyring
from onecard.gateway.answers import Window
from onecard.kernel.ecards.refs import Refs
from onecard_kit import codes
from onecard_kit.classes import BY_CODE
from onecard_kit.suites import PublicKey, Purpose, Signer, Suite

REREAD_S = 5.0


@dataclass(slots=True)
class IssuerKeys:
    """The issuing place's keys. `fetch` reads ``ecards/sql/issuer_keys.sql``, `fetch_refs` ``ecards/sql/ref_keys.sql``;
    `ring` is the keyring ``codes``.
    """

    place: str
    ring: Keyring
    fetch: Callable[[], Awaitable[Sequence[Mapping[str, object]]]]
    fetch_refs: Callable[[], Awaitable[Sequence[tuple[int, dt.date, bytes]]]]
    refs: Refs = field(default_factory=lambda: Refs(b""))
    public: dict[tuple[str, bytes], PublicKey] = field(default_factory=dict)
    rows: Sequence[Mapping[str, object]] = ()
    _signing: Mapping[str, object] | None = None
    _signer: Signer | None = None
    _read_at: float = -REREAD_S
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self, at_most_every_s: float = REREAD_S) -> None:
        """Read the keys again unless they were just read; callers that come meanwhile wait for the same answer.

        Raises Unavailable SUITE_MISSING when one is of a suite that this machine cannot do.
        """
        if self._is_fresh(at_most_every_s):
            return
        async with self._reading:
            if not self._is_fresh(at_most_every_s):
                await self._read()

    async def _read(self) -> None:
        rows, refs = await self.fetch(), await self.fetch_refs()
        self.refs = Refs.opened(self.ring, refs)
        self._take(rows)

    async def go_over(self, key_id: int | None) -> None:
        """Read the keys again if another one signs than is known here: what a withdrawn key signed would be refused."""
        if self._signing_id != key_id:
            async with self._reading:
                if self._signing_id != key_id:
                    await self._read()

    @property
    def _signing_id(self) -> object:
        return None if self._signing is None else self._signing["id"]

    def _is_fresh(self, at_most_every_s: float) -> bool:
        return time.monotonic() - self._read_at < at_most_every_s

    def _take(self, rows: Sequence[Mapping[str, object]]) -> None:
        self.rows = rows
        usable = [row for row in rows if row["withdrawn_at"] is None]
        self.public = {(self.place, bytes(r["kid"])): _public(r) for r in usable}  # type: ignore[call-overload]
        signing = next((row for row in usable if _signs_codes(row)), None)
        if signing is None or signing["id"] != self._signing_id:
            self._signing, self._signer = signing, None
        self._read_at = time.monotonic()

    def signer(self) -> Signer:
        """The key that signs now, opened when it is first needed: verifying must not depend on it.

        Raises Unavailable NO_SIGNING_KEY.
        """
        if self._signing is None:
            raise Unavailable(
                "NO_SIGNING_KEY",
                "尚无可用的签发密钥。",
                "There is no key to sign with.",
                next_zh="请管理员运行 onecard keys rotate-issuer。",
                next_en="The administrator runs: onecard keys rotate-issuer",
            )
        if self._signer is None:
            row = self._signing
            aad = f"ecards_key.private_sealed:{row['id']}"
            seed = crypto.open_sealed(self.ring, bytes(row["private_sealed"]), aad)  # type: ignore[call-overload]
            self._signer = Signer.of(_suite(row), bytes(row["kid"]), seed)  # type: ignore[call-overload]
        return self._signer


def _signs_codes(row: Mapping[str, object]) -> bool:
    return row["purpose"] == Purpose.CODES and row["sign_from"] is not None and row["sign_to"] is None


def _public(row: Mapping[str, object]) -> PublicKey:
    purpose = Purpose(str(row["purpose"]))
    return PublicKey(_suite(row), bytes(row["kid"]), bytes(row["public"]), purpose)  # type: ignore[call-overload]


def _suite(row: Mapping[str, object]) -> Suite:
    return suite.signature_suite(str(row["suite"]))


def issue(
    serial: int, classes: str, count: int, now: dt.datetime, keys: IssuerKeys, via: codes.Via = codes.Via.SELF
) -> list[Window]:
    """Sign `count` windows (1 to 10) for an e-card, the first containing `now`. `classes` is JSON, a list of
    [class, from, to]. Raises Unavailable NO_SIGNING_KEY.
    """
    signer = keys.signer()
    issued: list[Window] = []
    for starts, ends in codes.windows(int(now.timestamp()), count):
        day = clock.day_of(dt.datetime.fromtimestamp(starts, dt.UTC))
        claims = codes.Claims(
            issuer=keys.place,
            kid=signer.kid,
            ref=keys.refs.on(day).ref(serial),
            via=via,
            not_before=starts,
            expires=ends,
            nonce=codes.nonce(now.timestamp(), os.urandom(codes.NONCE_DRAWN_BYTES)),
            classes=_class_numbers(classes, day),
        )
        issued.append({"not_before": starts, "expires": ends, "code": codes.encode(claims, signer)})
    return issued


def _class_numbers(classes: str, day: dt.date) -> tuple[int, ...]:
    """The numbers of the classes a holder has on a day: what an offline gate needs; the commonest first where there
    are many."""
    held = {
        BY_CODE[code].number
        for code, start, end in json.loads(classes)
        if start <= day.isoformat() and (end is None or day.isoformat() < end) and code in BY_CODE
    }
    return tuple(sorted(held)[: codes.CLASSES_IN_CODE_MAX])
