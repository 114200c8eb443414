"""What the routes call: the lane, terminals, issuer keys and the connections of a process, wired together."""

import asyncio
import datetime as dt
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from onecard.connectors.bank.caller import Bank
from onecard.foundation import clock, crypto, keys, node, sql, suite
from onecard.foundation.errors import BadInput, Conflict
from onecard.foundation.ids import uuid7
from onecard.foundation.keys import Keyring
from onecard.gateway import answers, errors, wire
from onecard.gateway.batch import Uploads
from onecard.gateway.issuing import IssuerKeys, issue
from onecard.gateway.journals import Readers
from onecard.gateway.lane import LOST, Lane, telling_lost
from onecard.gateway.lists import Lists
from onecard.gateway.numbers import Numbers
from onecard.gateway.packs import Packs, oldest_s
from onecard.gateway.page import Page
from onecard.gateway.paying import AWAY, Paying
from onecard.gateway.public_keys import PublicKeys
from onecard.gateway.terminals import Signed, Terminals, key_aad
from onecard.gateway.wire import Response
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.explain import WhatIf, of_use, what_if
from onecard.kernel.uses.lines import Line, Rejected
from onecard.kernel.uses.present import Presented, read_chip, read_code
from onecard.kernel.uses.refunds import Asked, operator_of, refund
from onecard_kit import codes
from onecard_kit.pack import DAYS_AHEAD
from onecard_kit.presentation import Presentation
from onecard_kit.verdicts import Verdict

log = logging.getLogger("onecard.gateway")
CATALOGUE = "onecard.kernel.catalogue"
ECARDS = "onecard.kernel.ecards"
STATEMENT_S_MAX = 30.0
HEALTH_S_MAX = 2.0
# How exactly it is kept when a phone fetched last.
LAST_USED_TO = dt.timedelta(minutes=10)
# The statements are few, their shape never changes, and each finds rows by key: they are planned once, and never by the
# size a table had that day (a quota table looks empty after midnight, and a scan planned then would last till noon).
PLANNING = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


async def connect(url: str) -> asyncpg.Connection:
    """Open a connection that waits 1 s for a lock and 30 s for a statement, and whose idle transactions the server
    ends."""
    return await asyncpg.connect(
        url,
        command_timeout=STATEMENT_S_MAX,
        server_settings={
            "application_name": "onecard-gateway",
            "idle_in_transaction_session_timeout": "30s",
            # Whoever holds a card that long must not hold up everybody else's.
            "lock_timeout": "1s",
            # The locks and the later load rest on each statement's seeing what is committed.
            "default_transaction_isolation": "read committed",
            **PLANNING,
        },
    )


@dataclass(slots=True)
class Side:
    """A connection beside the lane's, for one caller at a time: look-ups, refunds, pairings and codes share one,
    and the question whether the database is there has its own."""

    url: str
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _connection: asyncpg.Connection | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, opened anew if it was lost. Raises Unavailable DATABASE_AWAY."""
        async with self._lock:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self.url)
                with telling_lost(self._connection):
                    yield self._connection
            except asyncpg.LockNotAvailableError:
                raise errors.database_away() from None
            except LOST as error:
                log.warning("the database went away: %s", type(error).__name__)
                if self._connection is not None:
                    self._connection.terminate()
                    self._connection = None
                raise errors.database_away() from None

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


@dataclass(slots=True)
class Services:
    """One process's services."""

    side: Side
    pulse: Side
    lane: Lane
    paying: Paying
    apart: Side
    uploads: Uploads
    terminals: Terminals
    issuer_keys: IssuerKeys
    numbers: Numbers
    public_keys: PublicKeys
    lists: Lists
    packs: Packs
    page: Page
    terminal_ring: Callable[[], Keyring]
    card_ring: Keyring
    chip_root: bytes
    mac: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Services":
        """Wire a process up from ONECARD_DATABASE_URL, ONECARD_KEYS, ONECARD_NODE, ONECARD_SUITE, ONECARD_LIST_DAYS,
        ONECARD_BANK_URL and _KEY. Raises Unavailable for what is missing or malformed."""
        url = environment["ONECARD_DATABASE_URL"]
        side = Side(url)
        terminal_ring, card_ring = keys.load("terminals", environment), keys.load("cards", environment)

        async def fetch_terminal(code: str) -> Mapping[str, object] | None:
            async with side.connection() as connection:
                row: Mapping[str, object] | None = await connection.fetchrow(sql.load(CATALOGUE, "terminal"), code)
                return row

        async def fetch_keys() -> Sequence[Mapping[str, object]]:
            async with side.connection() as connection:
                rows: Sequence[Mapping[str, object]] = await connection.fetch(sql.load(ECARDS, "issuer_keys"))
                return rows

        async def fetch_refs() -> Sequence[tuple[int, dt.date, bytes]]:
            async with side.connection() as connection:
                found: Sequence[tuple[int, dt.date, bytes]] = await connection.fetch(sql.load(ECARDS, "ref_keys"))
                return found

        async def fetch_numbers(at: dt.datetime) -> Sequence[Mapping[str, object]]:
            async with side.connection() as connection:
                rows: Sequence[Mapping[str, object]] = await connection.fetch(sql.load(ECARDS, "status_lists"), at)
                return rows

        async def fetch_list(name: str, form: str) -> Mapping[str, object] | None:
            async with side.connection() as connection:
                found: Mapping[str, object] | None
                found = await connection.fetchrow(sql.load(ECARDS, "status_list"), name, form)
                return found

        async def fetch_revision() -> int:
            async with side.connection() as connection:
                number: int = await connection.fetchval("SELECT number FROM catalogue_revision")
                return number

        async def fetch_point(terminal_id: int, day: dt.date) -> Mapping[str, object] | None:
            async with side.connection() as connection:
                found: Mapping[str, object] | None
                found = await connection.fetchrow(sql.load(CATALOGUE, "pack"), terminal_id, day, DAYS_AHEAD)
                return found

        async def fetch_areas() -> Sequence[Mapping[str, object]]:
            async with side.connection() as connection:
                rows: Sequence[Mapping[str, object]]
                rows = await connection.fetch("SELECT code, places FROM catalogue_area_set ORDER BY code")
                return rows

        async def fetch_terminal_keys(terminal_id: int) -> Sequence[Mapping[str, object]]:
            async with side.connection() as connection:
                rows: Sequence[Mapping[str, object]]
                rows = await connection.fetch(sql.load(CATALOGUE, "terminal_keys"), terminal_id)
                return rows

        async def fetch_keys_ever() -> Sequence[Mapping[str, object]]:
            async with side.connection() as connection:
                rows: Sequence[Mapping[str, object]] = await connection.fetch(sql.load(ECARDS, "issuer_keys_ever"))
                return rows

        issuer = node.code(environment)
        issuer_keys = IssuerKeys(issuer, keys.load("codes", environment), fetch_keys, fetch_refs)
        lane = Lane(lambda: connect(url), Memory())
        terminals, apart = Terminals(terminal_ring, fetch_terminal), Side(url)
        readers = Readers(
            issuer, fetch_terminal_keys, fetch_keys_ever, fetch_refs, terminal_ring, card_ring, issuer_keys.ring,
            card_ring.derive("chip"),
        )  # fmt: skip
        return cls(
            side=side,
            apart=apart,
            uploads=Uploads(terminals, readers, apart.connection, lane.counts),
            pulse=Side(url),
            lane=lane,
            paying=Paying(Bank.from_environment(environment), lane.record, side.connection),
            terminals=terminals,
            issuer_keys=issuer_keys,
            numbers=Numbers(issuer_keys.ring, side.connection),
            public_keys=PublicKeys(issuer_keys),
            lists=Lists(issuer, fetch_numbers, fetch_list),
            packs=Packs(issuer_keys, fetch_revision, fetch_point, fetch_areas, oldest_s(environment)),
            page=Page.read(suite.of_node(environment).mac.name),
            # Read anew for each pairing: what is sealed must be under a key that is not about to be retired.
            terminal_ring=lambda: keys.load("terminals", environment),
            card_ring=card_ring,
            chip_root=card_ring.derive("chip"),
            mac=suite.of_node(environment).mac.name,
        )

    async def use(self, signed: Signed, request: Presentation) -> Response:
        """Read what was shown, put the line on the lane, and answer when its group is committed."""
        at = clock.now()
        presented = await self._read(signed, request, at)
        if request.number is not None:  # what is kept of it cannot be tried out
            request = msgspec.structs.replace(request, number=self.numbers.index(request.number).hex())
        line = Line(
            uuid7(), at, signed.terminal_id, signed.key_id, signed.journal, signed.sequence, request.content,
            request.item, request.amount_fen, presented, request.leg,
        )  # fmt: skip
        outcome = await self.paying.pay(line)
        if isinstance(outcome, Rejected):
            raise errors.sequence_reused() if outcome.code == "SEQUENCE_REUSED" else errors.signature_invalid()
        return wire.use_answer(outcome)

    async def _read(self, signed: Signed, request: Presentation, at: dt.datetime) -> Presented:
        if request.card is not None:
            chip = request.card
            return read_chip(
                chip.number, chip.counter, _unhex(chip.cryptogram),
                crypto.blind_index(self.card_ring, "card_number", chip.number), self.chip_root,
                signed.terminal, str(signed.journal), signed.sequence,
            )  # fmt: skip
        if request.number is not None:
            return await self.numbers.read(request.number, at)
        assert request.code is not None
        await self.issuer_keys.refresh()
        presented = read_code(request.code, at, self.issuer_keys.public, self.issuer_keys.refs)
        if presented.problem is Verdict.KEY_UNKNOWN:
            # A key rotated a moment ago: look once more, but let no stranger's codes make us look all the time.
            await self.issuer_keys.refresh(at_most_every_s=0.2)
            presented = read_code(request.code, at, self.issuer_keys.public, self.issuer_keys.refs)
        return presented

    async def refund(self, signed: Signed, request: wire.RefundRequest) -> Response:
        asked = Asked(request.use, signed.terminal_id, signed.key_id, signed.journal, signed.sequence)
        async with self.side.connection() as connection:
            made = await refund(connection, asked, self.lane.memory)
        told: answers.Refunded = {
            "refund": made.id,
            "use": made.use_id,
            "paid_fen": made.paid_fen,
            "funded_fen": made.funded_fen,
            "repeated": made.repeated,
        }
        return wire.json_response(told)

    async def explain(self, signed: Signed, asked: UUID | Presentation) -> Response:
        """Why a use of the terminal's operator came to what it did, or what would become of one here and now."""
        # The lane's memory belongs to its own connection; what never changes may be looked at from here.
        memory = Memory(items=dict(self.lane.memory.items))
        if isinstance(asked, UUID):
            async with self.side.connection() as connection:
                operator = await operator_of(connection, signed.terminal_id, signed.key_id)
                return wire.json_response((await of_use(connection, asked, memory, operator)).plain())
        at = clock.now()
        presented = await self._read(signed, asked, at)
        bank = None if self.paying.bank is not None else AWAY
        question = WhatIf(
            signed.terminal_id, asked.item, presented, at, asked.amount_fen, asked.leg, signed.key_id, bank
        )  # fmt: skip
        async with self.side.connection() as connection:
            return wire.json_response((await what_if(connection, question, memory)).plain())

    async def pair(self, pairing_code: str) -> Response:
        """Give a terminal its key and a journal, once for each pairing code."""
        digest = hashlib.sha256(pairing_code.strip().upper().encode()).digest()
        async with self.side.connection() as connection, connection.transaction():
            found = await connection.fetchrow(sql.load(CATALOGUE, "pairing"), digest)
            if found is None:
                raise errors.Unauthenticated(
                    "PAIRING_CODE_INVALID",
                    "配对码无效、已使用或已过期。",
                    "The pairing code is unknown, used or expired.",
                    next_zh="请在管理端重新生成配对码。",
                    next_en="Make a new one in the console.",
                )
            key = os.urandom(32)
            sealed = crypto.seal(self.terminal_ring(), key, key_aad(found["terminal_id"]))
            made = (found["id"], found["terminal_id"], sealed, self.mac)
            key_id = await connection.fetchval(sql.load(CATALOGUE, "pair"), *made)
            await connection.execute(
                "INSERT INTO audit_fact (actor, verb, subject, detail) VALUES ($1, 'catalogue.pair', $2, '{}')",
                f"terminal:{found['code']}",
                f"terminal:{found['terminal_id']}",
            )
        self.terminals.forget(found["code"])
        told: answers.Paired = {
            "terminal": found["code"],
            "key_id": key_id,
            "key": key.hex(),
            "algorithm": self.mac,
            "journal": str(uuid4()),
        }
        return wire.json_response(told)

    async def codes(self, authorization: str, count: int) -> Response:
        """Sign the next windows for the device whose token is presented."""
        if not 1 <= count <= codes.PREFETCH_MAX:
            raise BadInput(
                "WINDOWS_INVALID",
                f"请取 1 至 {codes.PREFETCH_MAX} 个时段。",
                f"Ask for 1 to {codes.PREFETCH_MAX} windows.",
            )
        now = clock.now()  # before the look: what is fetched while the phone is withdrawn counts as fetched before
        device = await self._device(authorization)
        await self.issuer_keys.refresh()
        await self.issuer_keys.go_over(device["signs"])
        via = codes.Via.FAMILY if device["family"] else codes.Via.SELF
        windows = issue(device["serial"], device["classes"], count, now, self.issuer_keys, via)
        told: answers.Windows = {"server_time": int(now.timestamp()), "windows": windows}
        return wire.json_response(told)

    async def number(self, authorization: str) -> Response:
        """Give the device whose token is presented a number to read aloud; the last one is void. Raises Conflict
        NOT_OWN_PHONE for a relative's phone.
        """
        now = clock.now()
        device = await self._device(authorization)
        if device["family"]:  # what is read aloud cannot say who shows it
            raise Conflict(
                "NOT_OWN_PHONE",
                "数字码只能在持卡人本人的手机上获取。",
                "A number to read aloud is given to the holder's own phone only.",
                next_zh="请出示二维码，或使用实体卡。",
                next_en="Show the code, or use the physical card.",
            )
        number, expires = await self.numbers.give(device["serial"], now)
        told: answers.NumberGiven = {
            "server_time": int(now.timestamp()),
            "number": number,
            "expires": int(expires.timestamp()),
        }
        return wire.json_response(told)

    async def _device(self, authorization: str) -> Mapping[str, Any]:
        """The device that a request is from, with the e-card it may show.

        Raises Unauthenticated DEVICE_TOKEN_INVALID, Conflict CARD_NOT_ACTIVE.
        """
        scheme, _, token = authorization.partition(" ")
        async with self.side.connection() as connection:
            device: Mapping[str, Any] | None = await connection.fetchrow(
                sql.load(ECARDS, "device"), hashlib.sha256(token.encode()).digest()
            )
        if scheme.lower() != "bearer" or device is None:
            raise errors.Unauthenticated(
                "DEVICE_TOKEN_INVALID", "设备未登记或已解除。", "The device is not enrolled.",
                next_zh="请重新登录并登记设备。", next_en="Sign in and enrol the device again.",
            )  # fmt: skip
        if device["card_state"] != "active":
            raise Conflict(
                "CARD_NOT_ACTIVE",
                "社保卡当前不可用，不能出示电子社保卡。",
                "The card is not active, so its e-card cannot be shown.",
            )
        last = device["last_used_at"]
        if last is None or clock.now() - last > LAST_USED_TO:
            async with self.side.connection() as connection:
                await connection.execute(sql.load(ECARDS, "device_used"), device["device_id"])
        return device

    async def health(self) -> Response:
        """Whether the database answers within two seconds, asked on a connection of its own: no refund delays it.

        Raises Unavailable DATABASE_AWAY.
        """
        try:
            async with asyncio.timeout(HEALTH_S_MAX), self.pulse.connection() as connection:
                await connection.fetchval("SELECT 1", timeout=HEALTH_S_MAX / 2)
        except TimeoutError:  # while it connected, or behind others who ask
            raise errors.database_away() from None
        counts = self.lane.counts
        told: answers.Health = {
            "status": "ok", "groups": counts.groups, "lines": counts.lines, "faults": counts.faults,
            "bank": self.paying.silence.plain() if self.paying.bank is not None else None,
        }  # fmt: skip
        return wire.json_response(told)

    async def close(self) -> None:
        self.paying.close()
        self.lists.close()
        await self.side.close()
        await self.apart.close()
        await self.pulse.close()


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
