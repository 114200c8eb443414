"""A gate without a line in the city of stories: the program at the gate as it is, with the pack of a point and fresh
lists, whose journal is then uploaded as a gateway takes it.
"""

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from tests.small_city import PLACE, Card, Terminal
from tests.stories.city import StoryCity

from onecard.foundation import sql, workdays
from onecard.gateway.journals import Readers
from onecard.gateway.terminals import Signed
from onecard.kernel.uses import offline
from onecard.kernel.uses.chain import Following
from onecard.kernel.uses.lines import Rejected, Taken
from onecard_gate.asked import Asked
from onecard_gate.barrier import Opener
from onecard_gate.clock import Clock, Signal, boot_ms
from onecard_gate.config import Barrier
from onecard_gate.connection import Connection
from onecard_gate.gate import Gate, Result
from onecard_gate.home import Home, Identity, Journal, Key
from onecard_gate.memory import Memory
from onecard_gate.platform import Platform
from onecard_gate.supplies import Supplies
from onecard_kit import card_file, codes
from onecard_kit.card_file import CardFile
from onecard_kit.classes import BY_CODE
from onecard_kit.journal_file import JournalFile, Sequences
from onecard_kit.offline import Knowledge
from onecard_kit.pack import CODES, FIXED, KEYS, Pack, PackItem, PackKey, PackList, PackPoint, PackTerminal
from onecard_kit.presentation import Chip
from onecard_kit.status_list import Status, StatusList, compress, pack, subject_of
from onecard_kit.suites import Signer
from onecard_kit.terms import DayKind, Function, Leg

WEEK_S = 604_800
# Somewhere in the list of cards; the platform goes by the number.
SERIAL = 7


@dataclass
class StoryGate:
    """A gate of a point, away from its line since a minute before whatever it is shown, unless told otherwise."""

    city: StoryCity
    gate: Gate
    terminal: Terminal
    away: dt.timedelta = dt.timedelta(minutes=1)
    marked: dict[int, Status] = field(default_factory=dict)

    def show(
        self, card: Card, when: dt.datetime, *classes: str, leg: Leg | None = None, via: codes.Via = codes.Via.SELF,
        counter: int | None = None, code: str | None = None,
    ) -> Result:  # fmt: skip
        """Present a card by its code, or with `counter` the card itself."""
        now = int(when.timestamp())
        self.gate.clock.signal = Signal(now * 1000, boot_ms(), "")
        self._supply(when)
        asked = Asked(code=code or self.city.a_code(card, at=when, via=via, classes=numbers(classes)), leg=leg)
        if counter is not None:
            asked = Asked(tap=lambda *line: self._tap(card, counter, when, classes, line[-1]), leg=leg)
        return self.gate.present(asked)

    def upload(self) -> list[Taken | Rejected]:
        """Have the line back: what became of each line of the journal."""
        return self.city._loop.run(self._upload())

    def _tap(
        self, card: Card, counter: int, when: dt.datetime, classes: tuple[str, ...], sequence: int
    ) -> tuple[Chip, str]:  # fmt: skip
        chip = Chip(**self.city.a_tap(card, counter, self.terminal, sequence))  # type: ignore[arg-type]
        issued = int(when.timestamp()) - 86_400
        said = CardFile(PLACE, card.number, SERIAL, 3, tuple(Function), numbers(classes), issued, issued + 9 * 86_400)
        return chip, card_file.write(said, self.city.lasting)

    def _supply(self, when: dt.datetime) -> None:
        contact = int((when - self.away).timestamp())
        known, marks = _pack(self.city, self.terminal.id, when), _packed(tuple(self.marked.items()))
        lists = {
            path: StatusList(path, contact, contact + WEEK_S, 300, marks)
            for path in (subject_of(PLACE, when.date()), *(subject_of(PLACE, name) for name in FIXED))
        }
        self.gate.supplies.known = Knowledge(known, lists, (), contact, contact)

    async def _upload(self) -> list[Taken | Rejected]:
        connection, memory = self.city._gate, self.city._memory
        journal = self.gate.identity.journal
        signed = Signed(self.terminal.id, journal.terminal, journal.key_id, UUID(journal.id), 0)
        reader = await _readers(self.city, connection).reader(signed, 0)
        upload = offline.Upload(self.terminal.id, journal.key_id, UUID(journal.id), journal.id, Following(0))
        answers: list[Taken | Rejected] = []
        for raw in self.gate.journal.texts_after(-1):
            _, told = await reader.read(raw)
            assert isinstance(told, offline.Arrived), told
            answers += await offline.take(connection, upload, [told], memory)
        await offline.close(connection, upload)
        return answers


def a_gate(city: StoryCity, folder: Path, point: str, *, attended: bool = False, item: str | None = None) -> StoryGate:
    """A gate of a point of the demo city, whose line is away."""
    (point_id,) = city.run("SELECT id FROM catalogue_point WHERE code = $1", point)[0]
    terminal = city.a_terminal(point=point_id, attended=attended)
    journal = Journal(str(terminal.journal), terminal.code, terminal.key_id)
    keys = {terminal.key_id: Key(terminal.key.hex(), terminal.mac.name)}
    identity = Identity("http://127.0.0.1:9", terminal.code, terminal.key_id, keys, (journal,))
    home = Home.open(folder / terminal.code)
    clock, connection = Clock(home), Connection(away_until=float("inf"))
    gate = Gate(
        identity, clock, Platform(identity.url, clock, None), connection, Supplies(home),
        Memory.open(home.folder / "memory.sqlite"), JournalFile.open(home.journals, journal.id, identity.macs),
        Sequences.open(home.journals / "sequence"), Opener(Barrier()), item,
    )  # fmt: skip
    return StoryGate(city, gate, terminal)


def numbers(classes: tuple[str, ...]) -> tuple[int, ...]:
    """Classes as a code says them."""
    return tuple(sorted(BY_CODE[each].number for each in classes))


@lru_cache(maxsize=8)
def _packed(marked: tuple[tuple[int, Status], ...]) -> bytes:
    return compress(pack(2**24, marked))


def ref_of(city: StoryCity, card: Card, when: dt.datetime) -> int:
    """Where a day's list marks a card."""
    return city.refs.on(when.date()).ref(card.serial)


def _pack(city: StoryCity, terminal_id: int, when: dt.datetime) -> Pack:
    """What a gateway hands a gate on that day."""
    [(_, _, point, terminals, items)] = city.run(
        sql.load("onecard.kernel.catalogue", "pack"), terminal_id, when.date(), 60
    )
    areas = dict(city.run("SELECT code, places FROM catalogue_area_set"))
    return Pack(
        issuer=PLACE,
        division=PLACE,
        made=int(when.timestamp()),
        terminal=msgspec.json.decode(terminals, type=dict[int, PackTerminal])[terminal_id],
        point=msgspec.json.decode(point, type=PackPoint),
        items=msgspec.json.decode(items, type=tuple[PackItem, ...]),
        areas={code: tuple(places) for code, places in areas.items()},
        days={when.date(): DayKind(workdays.kind_of(when.date()))},
        issuers=(PLACE,),
        keys=tuple(_key(signer) for signer in (city.signer, city.lasting)),
        lists=(
            PackList(CODES, subject_of(PLACE, "{day}"), WEEK_S, 8),
            *(PackList(name, subject_of(PLACE, name), WEEK_S) for name in FIXED),
            PackList(KEYS, "/v1/keys", WEEK_S),
        ),
        online_timeout_ms=1500,
    )


def _key(signer: Signer) -> PackKey:
    key = signer.public_key
    return PackKey(PLACE, key.kid.hex(), key.suite.name, key.public.hex(), key.purpose, 0, None, None)


def _readers(city: StoryCity, connection: asyncpg.Connection) -> Readers:
    keys = sql.load("onecard.kernel.catalogue", "terminal_keys")
    issuers, refs = (sql.load("onecard.kernel.ecards", name) for name in ("issuer_keys_ever", "ref_keys"))

    async def of_terminal(terminal_id: int) -> list[Any]:
        return list(await connection.fetch(keys, terminal_id))

    async def of_issuer() -> list[Any]:
        return list(await connection.fetch(issuers))

    async def of_refs() -> list[Any]:
        return list(await connection.fetch(refs))

    return Readers(
        PLACE, of_terminal, of_issuer, of_refs, city.terminals_ring, city.cards_ring, city.codes_ring,
        city.cards_ring.derive("chip"),
    )  # fmt: skip
