"""A city as small as a test needs: one bus operator, one library, one bank; cards and terminals as they are asked for.

Rows are written as the owner of the database writes them; only the point of a test is stated, the rest is believable.
"""

import asyncio
import datetime as dt
import itertools
import json
import os
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import psycopg

from onecard.foundation import clock, crypto, keys
from onecard.foundation.ids import uuid7
from onecard.gateway.terminals import key_aad
from onecard.kernel.ecards.refs import Refs
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.lines import Line, Outcome
from onecard.kernel.uses.present import Presented, read_chip, read_code, read_number
from onecard_kit import chips, codes, item_files, numbers, requests
from onecard_kit.suites import ED25519, Purpose, Signer, Suite
from onecard_kit.terms import Leg

BUS = """
code = "transit.bus_ride"
version = 1
starts_on = 2020-01-01
name = { zh = "公交乘车", en = "Bus ride" }
legal_basis = ["test"]
function = "transit"
price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }
[[concession]]
class = "everyone"
region = "all"
price = { percent = 95 }
funded_by = "operator"
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "treasury.city"
quota = { count = 2, period = "day" }
[[concession]]
class = "senior_70"
price = { percent = 0 }
funded_by = "treasury.city"
"""
LIBRARY = """
code = "culture.library_entry"
version = 1
starts_on = 2020-01-01
name = { zh = "图书馆入馆", en = "Library entry" }
legal_basis = ["test"]
function = "social_security"
limit = { count = 3, period = "day" }
"""
TOPUP = """
code = "payments.purse_topup"
version = 1
starts_on = 2020-01-01
name = { zh = "钱包充值", en = "Purse top-up" }
legal_basis = ["test"]
region = "local"
price = { open_fen = [1000, 50000], from = "bank.clearing", to = "holder.purse" }
[[concession]]
class = "everyone"
price = { percent = 95 }
funded_by = "bank.offer"
"""
PLACE = "320600"
KID, LASTING_KID = b"\x00\x01", b"\x00\x09"


@dataclass(frozen=True)
class Card:
    id: int
    holder_id: int
    number: str
    serial: int
    purse: int | None


@dataclass
class Terminal:
    id: int
    code: str
    key_id: int
    key: bytes
    journal: UUID = field(default_factory=uuid4)
    mac: requests.Mac = requests.HMAC_SHA256
    _sequences: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def next(self) -> int:
        return next(self._sequences)


class SmallCity:
    """Built in a database of its own (`fresh_database`): pass its owner's URL, and the suite of its issuer's key."""

    def __init__(self, owner_url: str, suite: Suite = ED25519) -> None:
        self.url = owner_url
        self.connection = psycopg.connect(owner_url, autocommit=True)
        self.codes_ring, self.cards_ring = keys.load("codes"), keys.load("cards")
        self.terminals_ring = keys.load("terminals")
        self.refs = Refs(self.codes_ring.derive("ref"))
        self.seed = secrets.token_bytes(32)
        self.signer = Signer.of(suite, KID, self.seed)
        self.lasting = Signer.of(suite, LASTING_KID, secrets.token_bytes(32), Purpose.LASTING)
        self.public = {(PLACE, signer.kid): signer.public_key for signer in (self.signer, self.lasting)}
        self._ids = itertools.count(1)
        self._serials: set[int] = set()
        self._points: dict[str, int] = {}
        self._found()
        self._make_key()

    def run(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """Run one statement with ``$1`` parameters as the owner."""
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(statement.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *params: object) -> Any:
        return self.run(statement, *params)[0][0]

    def _found(self) -> None:
        self.operator, self.library, self.bank, self.treasury = (
            self.one(
                "INSERT INTO partners_party (code, kind, name_zh, name_en, division)"
                " VALUES ($1, $2, $1, $1, $3) RETURNING id",
                code, kind, PLACE,
            )
            for code, kind in (("bus", "operator"), ("library", "operator"), ("bank", "bank"), ("city", "treasury"))
        )  # fmt: skip
        for owner, role, ledger in (
            (self.operator, "operator.receivable", "purse"),
            (self.operator, "operator.receivable", "treasury"),
            (self.bank, "bank.clearing", "purse"),
            (self.bank, "bank.offer", "purse"),
            (self.treasury, "treasury.city", "treasury"),
        ):
            self.run("SELECT ledger_open(ARRAY[$1], $2, $3, false, NULL)", f"party:{owner}", role, ledger)
        for text in (BUS, LIBRARY, TOPUP):
            self.an_item(text)
        for item, operator in (
            ("transit.bus_ride", self.operator),
            ("culture.library_entry", self.library),
            ("payments.purse_topup", self.bank),
        ):
            self._points[item] = self.a_point(item, operator)

    def _make_key(self) -> None:
        """The issuer's key that signs the codes here."""
        key_id = self.one("SELECT nextval('ecards_key_id_seq')")
        sealed = crypto.seal(self.codes_ring, self.seed, f"ecards_key.private_sealed:{key_id}")
        self.run(
            "INSERT INTO ecards_key (id, kid, suite, public, private_sealed, sign_from)"
            " VALUES ($1, $2, $3, $4, $5, now())",
            key_id, KID, self.signer.public_key.suite.name, self.signer.public_key.public, sealed,
        )  # fmt: skip

    def make_lasting_key(self) -> None:
        """The issuer's key of paper codes and card files, for who issues any here."""
        public = self.lasting.public_key
        self.run(
            "INSERT INTO ecards_key (kid, purpose, suite, public, private_sealed, sign_from)"
            " VALUES ($1, 'lasting', $2, $3, '', now())",
            LASTING_KID, public.suite.name, public.public,
        )  # fmt: skip

    def an_item(self, text: str) -> None:
        item = item_files.parse(text, "test.toml")
        import msgspec

        plain = json.dumps(msgspec.to_builtins(item, str_keys=True))
        self.run(
            "INSERT INTO catalogue_item (code, field, level, area, state) VALUES ($1, $2, 'city', '320600', 'active')"
            " ON CONFLICT DO NOTHING",
            item.code,
            item.code.partition(".")[0],
        )
        self.run(
            "INSERT INTO catalogue_item_version (item_id, version, starts_on, ends_on, stage, declaration, digest)"
            " VALUES ($1, $2, $3, $4, 'published', $5, '')",
            item.code, item.version, item.starts_on, item.ends_on, plain,
        )  # fmt: skip

    def a_point(self, item: str, operator: int, code: str | None = None) -> int:
        code = code or f"{item}-{next(self._ids)}"
        client = self.one(
            "INSERT INTO catalogue_client (code, party_id, name_zh, name_en, state)"
            " VALUES ($1, $2, $1, $1, 'active') RETURNING id",
            code, operator,
        )  # fmt: skip
        point: int = self.one(
            "INSERT INTO catalogue_point (code, client_id, operator_id, name_zh, name_en, division, state)"
            " VALUES ($1, $2, $3, $1, $1, $4, 'active') RETURNING id",
            code, client, operator, PLACE,
        )  # fmt: skip
        self.run("INSERT INTO catalogue_offer (point_id, item_id) VALUES ($1, $2)", point, item)
        return point

    def a_terminal(
        self, item: str = "transit.bus_ride", *, point: int | None = None, attended: bool = False
    ) -> Terminal:  # fmt: skip
        code = f"T-{next(self._ids):04d}-{secrets.token_hex(3)}"
        terminal_id = self.one(
            "INSERT INTO catalogue_terminal (code, point_id, attended, state)"
            " VALUES ($1, $2, $3, 'active') RETURNING id",
            code, point or self._points[item], attended,
        )  # fmt: skip
        key = os.urandom(32)
        key_id = self.one(
            "INSERT INTO catalogue_terminal_key (terminal_id, key_sealed) VALUES ($1, $2) RETURNING id",
            terminal_id, crypto.seal(self.terminals_ring, key, key_aad(terminal_id)),
        )  # fmt: skip
        return Terminal(terminal_id, code, key_id, key)

    def a_card(
        self,
        *,
        purse_fen: int | None = 10_000,
        state: str = "active",
        function_state: str = "active",
        place: str = PLACE,
        classes: list[tuple[str, str, str | None]] | None = None,
        ceiling_fen: int = 100_000,
    ) -> Card:
        number = f"T{next(self._ids):08d}"
        holder = card = 1_000_000 + next(self._ids)
        serial = self._a_serial()
        purse = None
        if purse_fen is not None:
            purse = self.one(
                "SELECT ledger_open(ARRAY[$1], 'holder.purse', 'purse', true, $2)", f"holder:{holder}", ceiling_fen
            )
            if purse_fen:
                self.transfer(self.account(self.bank, "bank.clearing"), purse, purse_fen, "opening")
        self.run(
            "INSERT INTO cards_standing (card_id, holder_id, issuing_place, generation, card_state, social_security,"
            " financial, transit, number_index, ecard_serial, purse_account_id, classes)"
            " VALUES ($1, $2, $3, 3, $4, $5, $5, $5, $6, $7, $8, $9)",
            card, holder, place, state, function_state,
            crypto.blind_index(self.cards_ring, "card_number", number), serial, purse, json.dumps(classes or []),
        )  # fmt: skip
        return Card(card, holder, number, serial, purse)

    def _a_serial(self) -> int:
        """A serial at random, as that of no other card here."""
        while (serial := secrets.randbelow(2**24)) in self._serials:
            pass
        self._serials.add(serial)
        return serial

    def enrol(self, card: Card, token_digest: bytes) -> None:
        """Enrol a phone for the card's e-card, with the rows of the register that it needs."""
        holder = self.one(
            "INSERT INTO holders_holder (place, number_sealed, number_index, name_sealed, name_index, initials_index,"
            " birth_date, sex, synthetic) VALUES ($1, '-', $2, '-', $2, $2, '1960-01-01', 1, true) RETURNING id",
            PLACE, secrets.token_bytes(16),
        )  # fmt: skip
        self.run(
            "INSERT INTO cards_card (id, number, identifier, issuing_place, generation, state, issued_on, valid_to,"
            " bank_id, holder_id) VALUES ($1, $2, $3, $4, 3, 'inactive', '2020-01-01', '2035-01-01', $5, $6)",
            card.id, card.number, PLACE + secrets.token_hex(13).upper(), PLACE, self.bank, holder,
        )  # fmt: skip
        self.run("INSERT INTO ecards_ecard (serial, card_id, signed_at) VALUES ($1, $2, now())", card.serial, card.id)
        self.run(
            "INSERT INTO ecards_device (ecard_id, token_digest, label, created_at, expires_at)"
            " VALUES ($1, $2, 'test', now(), now() + interval '1 day')",
            card.serial, token_digest,
        )  # fmt: skip

    def account(self, party: int, role: str, ledger: str = "purse") -> int:
        found: int = self.one(
            "SELECT id FROM ledger_account WHERE owner = $1 AND role = $2 AND ledger = $3",
            f"party:{party}",
            role,
            ledger,
        )
        return found

    def transfer(self, debit: int, credit: int, amount_fen: int, code: str) -> None:
        refused = self.run(
            "SELECT * FROM ledger_post(ARRAY[$1::uuid], ARRAY[$2::bigint], ARRAY[$3::bigint], ARRAY[$4::bigint],"
            " ARRAY['posted'], ARRAY[$5], ARRAY[NULL]::uuid[], ARRAY[NULL]::timestamptz[], ARRAY[NULL]::uuid[])",
            uuid7(), debit, credit, amount_fen, code,
        )  # fmt: skip
        assert not refused, refused

    # --- what people and devices do ---

    def a_code(self, card: Card, *, at: dt.datetime | None = None, signer: Signer | None = None, **changes: Any) -> str:
        """A code of the card's e-card, for the window that holds `at`."""
        starts, ends = codes.windows(int((at or clock.now()).timestamp()), 1)[0]
        not_before = changes.get("not_before", starts)
        day = clock.day_of(dt.datetime.fromtimestamp(not_before, dt.UTC))
        claims = codes.Claims(
            issuer=changes.get("issuer", PLACE),
            kid=changes.get("kid", KID),
            ref=self.refs.on(day).ref(card.serial),
            via=changes.get("via", codes.Via.SELF),
            not_before=not_before,
            expires=changes.get("expires", ends),
            nonce=os.urandom(12),
            classes=changes.get("classes", ()),
        )
        return codes.encode(claims, signer or self.signer)

    def a_paper(self, card: Card, *, days: int = 90, at: dt.datetime | None = None) -> str:
        """A paper code of the card's e-card, whose rows are there (`enrol`)."""
        begins = int((at or clock.now()).timestamp())
        serial = self.one(
            "INSERT INTO ecards_paper_code (serial, ecard_id, kid, issued_at, expires_at)"
            " VALUES (nextval('ecards_paper_serial_seq'), $1, $2, to_timestamp($3), to_timestamp($4)) RETURNING serial",
            card.serial, LASTING_KID, begins, begins + days * 86_400,
        )  # fmt: skip
        claims = codes.Claims(
            PLACE, LASTING_KID, serial, codes.Via.PAPER, begins, begins + days * 86_400, os.urandom(12)
        )  # fmt: skip
        return codes.encode(claims, self.lasting)

    def a_tap(self, card: Card, counter: int, terminal: Terminal, sequence: int) -> dict[str, object]:
        """The chip's answer at a terminal, as JSON carries it."""
        key = chips.card_key(self.cards_ring.derive("chip"), card.number)
        shown = chips.cryptogram(key, card.number, counter, terminal.code, str(terminal.journal), sequence)
        return {"number": card.number, "counter": counter, "cryptogram": shown.hex()}

    def a_line(
        self,
        terminal: Terminal,
        card: Card | None = None,
        *,
        item: str = "transit.bus_ride",
        code: str | None = None,
        counter: int | None = None,
        amount_fen: int | None = None,
        at: dt.datetime | None = None,
        sequence: int | None = None,
        leg: Leg | None = None,
    ) -> Line:
        """A line as the gateway makes it from a request."""
        at = at or clock.now()
        sequence = terminal.next() if sequence is None else sequence
        presented: Presented
        if counter is not None:
            assert card is not None
            tap = self.a_tap(card, counter, terminal, sequence)
            index = crypto.blind_index(self.cards_ring, "card_number", card.number)
            chip_root = self.cards_ring.derive("chip")
            presented = read_chip(
                card.number, counter, bytes.fromhex(str(tap["cryptogram"])), index, chip_root,
                terminal.code, str(terminal.journal), sequence,
            )  # fmt: skip
            content = json.dumps(tap)
        else:
            code = code or self.a_code(card, at=at) if card is not None else code
            assert code is not None
            presented = read_code(code, at, self.public, self.refs)
            content = code
        digest = f"{item}|{amount_fen}|{leg}|{content}".encode()
        return Line(
            uuid7(), at, terminal.id, terminal.key_id, terminal.journal, sequence, digest, item, amount_fen, presented,
            leg,
        )  # fmt: skip

    def read_aloud(self, terminal: Terminal, card: Card | None, item: str, at: dt.datetime | None = None) -> Line:
        """A line for a number that was given out a minute ago and is said to staff; without a card it is nobody's."""
        at = at or clock.now()
        expires = at + dt.timedelta(seconds=numbers.LIFE_S - 60)
        found = None if card is None else {"ecard_id": card.serial, "nonce": os.urandom(12), "expires_at": expires}
        return Line(
            uuid7(int(at.timestamp() * 1000)), at, terminal.id, terminal.key_id, terminal.journal, terminal.next(),
            os.urandom(16), item, None, read_number(found, at),
        )  # fmt: skip

    # --- what came of it ---

    def purse_of(self, card: Card) -> int:
        fen: int = self.one(
            "SELECT free_fen FROM ledger_balance WHERE account_id = $1",
            card.purse,
        )
        return fen

    def balance(self, party: int, role: str, ledger: str = "purse") -> int:
        """Credits less debits of an account without a limit."""
        account = self.account(party, role, ledger)
        fen: int = self.one(
            "SELECT coalesce(sum(CASE WHEN credit_account = $1 THEN amount_fen ELSE -amount_fen END), 0)::bigint"
            " FROM ledger_transfer WHERE $1 IN (debit_account, credit_account) AND kind IN ('posted', 'post')",
            account,
        )
        return fen


def record(url: str, *groups: list[Line]) -> list[list[Outcome]]:
    """Record groups one after the other on one connection of a role."""

    async def go() -> list[list[Outcome]]:
        connection = await asyncpg.connect(url)
        try:
            memory = Memory()
            return [await record_group(connection, group, memory) for group in groups]
        finally:
            await connection.close()

    return asyncio.run(go())
