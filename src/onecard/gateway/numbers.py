"""Read-aloud numbers (数字码): given to a phone that asks for one, and found again when staff type it.

Apart from the codes: nothing of it is signed, so that a number is good only where staff take it, online, for a few
minutes, and a stranger who tries numbers is stopped (`kernel.uses.load.facts.Misses`).
"""

import datetime as dt
import os
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import asyncpg

from onecard.foundation import crypto, sql
from onecard.foundation.keys import Keyring
from onecard.kernel.uses.present import Presented, read_number
from onecard_kit import codes, numbers
from onecard_kit.terms import Medium
from onecard_kit.verdicts import Verdict

ECARDS = "onecard.kernel.ecards"
DRAWS_MAX = 5


@dataclass(frozen=True, slots=True)
class Numbers:
    """`ring` is the keyring ``codes``, under whose key numbers are known; `connection` is for look-ups."""

    ring: Keyring
    connection: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]

    def index(self, typed: str) -> bytes:
        """What a number is known by: 16 bytes under a key of ours, the same however it was typed."""
        return crypto.blind_index(self.ring, "number", numbers.read(typed) or typed)

    async def give(self, serial: int, now: dt.datetime) -> tuple[str, dt.datetime]:
        """A new number for an e-card, and when it lapses. The last one is nobody's from now on."""
        expires = now + dt.timedelta(seconds=numbers.LIFE_S)
        nonce = codes.nonce(now.timestamp(), os.urandom(codes.NONCE_DRAWN_BYTES))
        for _ in range(DRAWS_MAX):
            drawn = numbers.number_of(secrets.randbelow(numbers.RANDOM))
            try:
                async with self.connection() as connection:
                    await connection.execute(
                        sql.load(ECARDS, "give_number"), serial, self.index(drawn), nonce, expires
                    )  # fmt: skip
            except asyncpg.UniqueViolationError:
                continue  # somebody else's, once in a hundred thousand million draws
            return drawn, expires
        raise RuntimeError(f"{DRAWS_MAX} numbers drawn one after the other were all taken")

    async def read(self, typed: str, at: dt.datetime) -> Presented:
        """Whose number it is, in one statement; none where its check digit says that it was misheard."""
        if numbers.read(typed) is None:
            return Presented(Medium.NUMBER, Verdict.NUMBER_MALFORMED)
        async with self.connection() as connection:
            found = await connection.fetchrow(sql.load(ECARDS, "number"), self.index(typed))
        return read_number(found, at)
