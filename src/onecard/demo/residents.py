"""The people's steps of the demo city: holders, cards, e-cards, purses.

Rows go in by COPY. Ids are counted on from their sequences, which follow at the end of the step: one that was killed
and starts anew draws the same ones.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql

from onecard.demo import cards, nantong
from onecard.demo.owner import driver
from onecard.demo.people import Person, people
from onecard.demo.plan import Plan
from onecard.foundation import keys
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.cards.actions import PURSE_CEILING_FEN, refresh_standing
from onecard.kernel.cards.rules import CardState, FunctionState, card_number
from onecard.kernel.holders import loading
from onecard.kernel.partners.models import Party
from onecard_kit.terms import Function

Row = Sequence[Any]
CHUNK = 10_000
POSTED_AT_ONCE = 5_000
ECARD_SHARE = 0.72
# A few of the registered have died; their cards are locked.
DECEASED_SHARE = 0.004
DECEASED_FROM_AGE = 65

CARD_COLUMNS = (
    "id", "number", "identifier", "holder_id", "issuing_place", "bank_id", "generation", "state", "state_before_loss",
    "issued_on", "valid_to",
)  # fmt: skip
FUNCTION_COLUMNS = ("card_id", "function", "state")
ACCOUNT_COLUMNS = ("card_id", "bank_id", "token")
ECARD_COLUMNS = ("serial", "card_id", "signed_at")


# --- Holders ----------------------------------------------------------------------------------------------------------


def load_people(plan: Plan) -> dict[str, int]:
    """Holders with sealed identity data, their certificates, and the classes that follow from both."""
    ring, rng = keys.load("identity"), plan.rng("life")
    holder_ids = Ids("holders_holder_id_seq", "holders_holder")
    certificate_ids = Ids("holders_certificate_id_seq", "holders_certificate")
    everybody = people(plan.holders, plan.seed, plan.today)
    while chunk := list(islice(everybody, CHUNK)):
        holders: list[Row] = []
        certificates: list[Row] = []
        classes: list[Row] = []
        for person in chunk:
            holder_id = holder_ids.next()
            held = [(certificate_ids.next(), each) for each in person.certificates]
            holders.append(loading.holder_row(ring, holder_id, person, _life(person, plan, rng)))
            certificates += [loading.certificate_row(ring, key, holder_id, each) for key, each in held]
            classes += loading.class_rows(holder_id, person.birth_date, held)
        copy("holders_holder", loading.HOLDER_COLUMNS, holders)
        copy("holders_certificate", loading.CERTIFICATE_COLUMNS, certificates)
        copy("holders_class", loading.CLASS_COLUMNS, classes)
        plan.tell(holder_ids.drawn, plan.holders)
    holder_ids.keep()
    certificate_ids.keep()
    return {"holders": holder_ids.drawn, "certificates": certificate_ids.drawn}


def _life(person: Person, plan: Plan, rng: random.Random) -> str:
    old = (plan.today - person.birth_date).days // 365 >= DECEASED_FROM_AGE
    return "deceased" if rng.random() < DECEASED_SHARE * 4 and old else "alive"


# --- Cards ------------------------------------------------------------------------------------------------------------


def load_cards(plan: Plan) -> dict[str, int]:
    """Cards in every state, their functions, the accounts of those who have been to the bank; then each standing."""
    rows("SET LOCAL onecard.loading = 'on'")
    rng, tokens, bank = plan.rng("cards"), plan.rng("accounts"), Party.objects.get(code=nantong.BANK).pk
    ids, numbers = Ids("cards_card_id_seq", "cards_card"), Ids("cards_number_seq", "cards_card")
    for chunk in _registered("SELECT id, birth_date, life FROM holders_holder WHERE id > $1 ORDER BY id LIMIT $2"):
        card_rows: list[Row] = []
        functions: list[Row] = []
        accounts: list[Row] = []
        for holder_id, birth_date, life in chunk:
            for card in cards.of_holder(rng, birth_date, plan.today, deceased=life == "deceased"):
                card_id = ids.next()
                identifier = f"{nantong.PLACE}{rng.getrandbits(104):026X}"
                number = card_number(numbers.next())
                card_rows.append((card_id, number, identifier, holder_id, nantong.PLACE, bank, *card.columns()))
                functions += [(card_id, function.value, state.value) for function, state in card.functions.items()]
                if card.functions[Function.FINANCIAL] is FunctionState.ACTIVE:
                    accounts.append((card_id, bank, cards.account_token(tokens)))
        copy("cards_card", CARD_COLUMNS, card_rows)
        copy("cards_function", FUNCTION_COLUMNS, functions)
        copy("cards_account", ACCOUNT_COLUMNS, accounts)
    ids.keep()
    numbers.keep()
    for table in ("holders_class", "cards_card", "cards_function"):
        rows(f"ANALYZE {table}")
    refresh_standing([card_id for (card_id,) in rows("SELECT id FROM cards_card ORDER BY id")])
    return {"cards": ids.drawn}


# --- E-cards ----------------------------------------------------------------------------------------------------------


def load_ecards(plan: Plan) -> dict[str, int]:
    """E-cards for about 72 % of the holders, on cards that are active or were until they were lost or locked."""
    rng, serials = plan.rng("ecards"), Ids("ecards_serial_seq", "ecards_ecard")
    open_states = [CardState.ACTIVE, CardState.TEMP_LOST, CardState.LOST, CardState.LOCKED]
    eligible = rows(
        "SELECT id, issued_on FROM cards_card WHERE state = ANY ($1::text[]) ORDER BY id",
        [state.value for state in open_states],
    )
    (holders,) = rows("SELECT count(*) FROM holders_holder")[0]
    share = min(1.0, ECARD_SHARE * holders / max(1, len(eligible)))
    ecards = [
        (serials.next(), card_id, min(issued_on + cards.days(rng, 0, 700), plan.today))
        for card_id, issued_on in eligible
        if rng.random() < share
    ]
    copy("ecards_ecard", ECARD_COLUMNS, ecards)
    rows("UPDATE cards_standing s SET ecard_serial = e.serial FROM ecards_ecard e WHERE e.card_id = s.card_id")
    serials.keep()
    return {"ecards": len(ecards)}


# --- Purses -----------------------------------------------------------------------------------------------------------


def load_purses(plan: Plan) -> dict[str, int]:
    """A purse for each holder of a card whose transit function is active; most with a first top-up at the bank."""
    rng, purses, posted = plan.rng("purses"), 0, 0
    (clearing,) = rows(
        "SELECT a.id FROM ledger_account a JOIN partners_party p ON a.owner = 'party:' || p.id"
        " WHERE p.code = $1 AND a.role = 'bank.clearing'",
        nantong.BANK,
    )[0]
    for chunk in _registered(
        "SELECT DISTINCT holder_id FROM cards_standing WHERE transit = 'active' AND holder_id > $1"
        " ORDER BY holder_id LIMIT $2"
    ):
        holders = [holder_id for (holder_id,) in chunk]
        accounts = _open_purses(holders)
        amounts = [(account, cards.first_topup_fen(rng)) for account in accounts]
        posted += _post([(account, fen) for account, fen in amounts if fen], clearing)
        purses += len(accounts)
    return {"purses": purses, "topups": posted}


def _open_purses(holders: list[int]) -> list[int]:
    """Open accounts in one statement and let all cards of their holders reach them."""
    owners = [f"holder:{holder_id}" for holder_id in holders]
    opened = rows(
        "SELECT ledger_open($1::text[], 'holder.purse', 'purse', true, $2::bigint)", owners, PURSE_CEILING_FEN
    )
    accounts: list[int] = [account for (account,) in opened]
    rows(
        "UPDATE cards_standing s SET purse_account_id = p.account FROM unnest($1::bigint[], $2::bigint[])"
        " AS p (holder_id, account) WHERE s.holder_id = p.holder_id",
        holders,
        accounts,
    )
    rows("ANALYZE ledger_account")
    rows("ANALYZE ledger_balance")
    return accounts


def _post(topups: list[tuple[int, int]], clearing: int) -> int:
    """Post first top-ups from the bank's clearing account, many at once. An id of its own each makes them final."""
    for start in range(0, len(topups), POSTED_AT_ONCE):
        batch = topups[start : start + POSTED_AT_ONCE]
        n = len(batch)
        refused = rows(
            "SELECT n, outcome FROM ledger_post($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[],"
            " $6::text[], $7::uuid[], $8::timestamptz[], $9::uuid[])",
            [uuid7() for _ in batch],
            [clearing] * n,
            [account for account, _ in batch],
            [fen for _, fen in batch],
            ["posted"] * n,
            ["opening"] * n,
            *([[None] * n] * 3),
        )
        if refused:
            raise RuntimeError(f"the ledger refused first top-ups: {refused[:3]}")
    return len(topups)


# --- Shared -----------------------------------------------------------------------------------------------------------


class Ids:
    """Counts on from a table's sequence without moving it; `keep` moves it.

    An empty table starts at the beginning, whatever a killed step did to the sequence, which no rollback undoes.
    """

    def __init__(self, sequence: str, table: str) -> None:
        self._sequence = sequence
        last, called = rows(f"SELECT last_value, is_called FROM {sequence}")[0]  # noqa: S608 - names of ours
        if not rows(f"SELECT FROM {table} LIMIT 1"):
            last, called = rows("SELECT seqstart, false FROM pg_sequence WHERE seqrelid = $1::regclass", sequence)[0]
        self._first = self._next = int(last + called)

    @property
    def drawn(self) -> int:
        """How many were drawn."""
        return self._next - self._first

    def next(self) -> int:
        self._next += 1
        return self._next - 1

    def keep(self) -> None:
        """Let the sequence go on after the last one drawn."""
        rows("SELECT setval($1::regclass, $2, $3)", self._sequence, self._next, False)


def copy(table: str, columns: Sequence[str], values: Iterable[Row]) -> None:
    """COPY rows into a table, on Django's connection, in its transaction."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    connection: psycopg.Connection[Any] = driver()
    with connection.cursor() as cursor, cursor.copy(statement) as rows_in:
        for row in values:
            rows_in.write_row(row)


def _registered(statement: str) -> Iterator[list[tuple[Any, ...]]]:
    """Rows by key, a chunk at a time; the first column is the key."""
    last = 0
    while chunk := rows(statement, last, CHUNK):
        yield chunk
        last = chunk[-1][0]
