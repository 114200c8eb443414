"""Every invariant holds for what the product does itself, and each breach of one is found by name.

A breach is made as only the database's owner can make it, in a transaction that is rolled back.
"""

import argparse
import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from tests.small_city import PLACE, SmallCity, record

from onecard import check
from onecard.check import command, dictionary, running
from onecard.foundation import clock
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres import roles
from onecard.foundation.postgres import urls as addresses
from onecard.kernel.ecards import lists
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.lines import Answer
from onecard.kernel.uses.refunds import Asked, refund

# The small city writes standings for cards that no register holds.
WITHOUT_REGISTER = {"STANDINGS"}


@pytest.fixture(scope="module")
def day(city: SmallCity, fresh_database: dict[str, str]) -> SmallCity:
    """Uses of every kind, through the code that runs in production, as the gateway."""
    bus, library, bank = (
        city.a_terminal(item) for item in ("transit.bus_ride", "culture.library_entry", "payments.purse_topup")
    )
    full, poor = city.a_card(), city.a_card(purse_fen=0)
    old = city.a_card(classes=[("senior_70", "2019-05-01", None)])
    half = city.a_card(classes=[("senior_60", "2019-05-01", None)])
    lines = [
        *(city.a_line(bus, card) for card in (full, old, half, half, half, poor)),
        *(city.a_line(library, card, item="culture.library_entry") for card in (full, full, poor)),
        city.a_line(bank, poor, item="payments.purse_topup", amount_fen=2_000),
    ]
    answers = record(fresh_database["gateway"], lines)[0]
    rides = [answer for answer in answers if isinstance(answer, Answer) and answer.verdict == "ADMITTED"]
    assert len(rides) == len(lines) - 1
    for ride in (rides[1], rides[2]):
        asyncio.run(_refund(fresh_database["gateway"], Asked(ride.use_id, bus.id, bus.key_id, bus.journal, bus.next())))
    _holds(city, full.purse or 0)
    city.run("SELECT ledger_fold_accounts()")
    record(fresh_database["gateway"], [city.a_line(bus, full)])
    with running.django_at(fresh_database["owner"]):
        lists.build(PLACE)
    return city


async def _refund(url: str, asked: Asked) -> None:
    connection = await asyncpg.connect(url)
    try:
        await refund(connection, asked, Memory())
    finally:
        await connection.close()


def _holds(city: SmallCity, purse: int) -> None:
    """One posted in part, one voided, one open."""
    operator, ids = city.account(city.operator, "operator.receivable"), [uuid7() for _ in range(5)]
    refused = city.run(
        "SELECT * FROM ledger_post($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],"
        " $7::uuid[], $8::timestamptz[], $9::uuid[])",
        ids,
        [purse, purse, purse, None, None],
        [operator, operator, operator, None, None],
        [100, 100, 100, 40, None],
        ["pending", "pending", "pending", "post", "void"],
        ["hold"] * 5,
        [None, None, None, ids[0], ids[1]],
        [None, None, clock.now() + dt.timedelta(days=1), None, None],
        [None] * 5,
    )
    assert refused == []


def findings_of(url: str) -> dict[str, check.Finding]:
    return {finding.code: finding for finding in check.run(url)}


def test_a_day_of_the_city_keeps_every_invariant(day: SmallCity, fresh_database: dict[str, str]) -> None:
    found = findings_of(fresh_database["owner"])
    broken = {code: (each.numbers, each.lines) for code, each in found.items() if not each.ok}
    assert broken.keys() <= WITHOUT_REGISTER, broken
    assert found["USE_TRANSFERS"].numbers["checked"] >= 9
    assert found["HOLDS"].numbers["checked"] == 3
    assert found["REFUNDS"].numbers["checked"] == 2
    assert found["QUOTAS"].numbers["checked"] >= 2
    assert found["NONCES"].numbers["checked"] >= 9


@contextmanager
def broken(city: SmallCity, *statements: str) -> Iterator[None]:
    """The city with something wrong in it, without triggers and foreign keys in the way; then as it was."""
    with city.connection.transaction(force_rollback=True):
        tables = city.run(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND relname ~ '^(ledger|uses|cards|entitlements)_'"
        )
        for (table,) in tables:
            city.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            city.run(statement)
        yield


ONE_USE = "(SELECT id FROM uses_use WHERE verdict = 'ADMITTED' AND paid_fen > 0 ORDER BY id LIMIT 1)"
ONE_REFUND = "(SELECT id FROM ledger_transfer WHERE code = 'refund' ORDER BY id LIMIT 1)"
COPY = (
    "INSERT INTO ledger_transfer (id, debit_account, credit_account, amount_fen, kind, code, reference)"
    " SELECT uuid7_floor(now() - interval '1 hour'), {} FROM ledger_transfer WHERE {} LIMIT 1"
)

BREACHES = {
    "a balance that no transfer made": (
        ["UPDATE ledger_balance SET free_fen = free_fen + 1"],
        {"BALANCES": "different", "LEDGERS": "ledgers_not_zero"},
    ),
    "a hold forgotten in a balance": (
        ["UPDATE ledger_balance SET debits_pending = 0 WHERE debits_pending > 0"],
        {"BALANCES": "different"},
    ),
    "a purse below zero": (
        [
            "ALTER DOMAIN ledger_fen DROP CONSTRAINT never_below_zero",
            "UPDATE ledger_balance SET free_fen = -1",
        ],
        {"BALANCES": "below_zero"},
    ),
    "a purse above its ceiling": (
        [
            "ALTER DOMAIN ledger_fen DROP CONSTRAINT never_below_zero",
            "UPDATE ledger_account SET ceiling_fen = 1 WHERE limited",
            "UPDATE ledger_balance SET room_fen = 1 - free_fen - debits_pending - credits_pending",
        ],
        {"BALANCES": "above_ceiling"},
    ),
    "a ceiling that differs from its account's": (
        ["UPDATE ledger_balance SET room_fen = room_fen + 1"],
        {"BALANCES": "other_ceiling"},
    ),
    "a closed account that still moves": (
        ["UPDATE ledger_account SET closed_at = now() WHERE limited"],
        {"BALANCES": "other_ledger"},
    ),
    "a limited account without a balance": (
        ["DELETE FROM ledger_balance WHERE account_id = (SELECT min(account_id) FROM ledger_balance)"],
        {"BALANCES": "missing_or_extra"},
    ),
    "a fold that is off by a fen": (
        ["UPDATE ledger_fold SET debits = debits + 1"],
        {"LEDGERS": "folds_different"},
    ),
    "a transfer across ledgers": (
        ["UPDATE ledger_account SET ledger = 'medical' WHERE role = 'bank.clearing'"],
        {"LEDGERS": "across_ledgers"},
    ),
    "a transfer of a transaction to come": (
        ["UPDATE ledger_transfer SET xid = '99999999999' WHERE code = 'refund'"],
        {"LEDGERS": "from_future"},
    ),
    "a resolution lost": (
        ["DELETE FROM ledger_resolution"],
        {"HOLDS": "without_pair"},
    ),
    "a hold resolved twice": (
        [
            "INSERT INTO ledger_transfer (id, debit_account, credit_account, amount_fen, kind, code, pending_id)"
            " SELECT uuid7_floor(now()), debit_account, credit_account, amount_fen, 'void', 'hold', pending_id"
            " FROM ledger_transfer WHERE kind = 'void'"
        ],
        {"HOLDS": "resolved_twice"},
    ),
    "a hold posted for more than was held": (
        ["UPDATE ledger_transfer SET amount_fen = 101 WHERE kind = 'post'"],
        {"HOLDS": "not_as_held"},
    ),
    "a payment that names a hold": (
        ["UPDATE ledger_transfer SET pending_id = id WHERE kind = 'posted'"],
        {"HOLDS": "misshapen"},
    ),
    "an open hold that nobody will find": (
        ["DELETE FROM ledger_hold"],
        {"HOLDS": "open_different"},
    ),
    "a use paid too little": (
        [f"UPDATE ledger_transfer SET amount_fen = amount_fen - 1 WHERE code = 'paid' AND reference = {ONE_USE}"],
        {"USE_TRANSFERS": "paid_different"},
    ),
    "a use that cost more than its transfers": (
        [f"UPDATE uses_use SET full_fen = full_fen + 1, concession = 'senior_70' WHERE id = {ONE_USE}"],
        {"USE_TRANSFERS": "concession_different"},
    ),
    "a concession that nobody paid": (
        ["DELETE FROM ledger_transfer WHERE code = 'concession'"],
        {"USE_TRANSFERS": "concession_different"},
    ),
    "money for a refused use": (
        ["UPDATE uses_use SET verdict = 'FUNDS_SHORT' WHERE paid_fen > 0"],
        {"USE_TRANSFERS": "of_refused_uses", "REFUNDS": "of_no_admitted_use"},
    ),
    "money for no use": (
        [f"DELETE FROM uses_use WHERE id = {ONE_USE}"],
        {"USE_TRANSFERS": "of_no_use", "JOURNAL_KEYS": "keys_without_use"},
    ),
    "a refund of less than was paid": (
        [f"UPDATE ledger_transfer SET amount_fen = amount_fen - 1 WHERE id = {ONE_REFUND}"],
        {"REFUNDS": "not_reversed"},
    ),
    "a refund paid twice": (
        [COPY.format("debit_account, credit_account, amount_fen, kind, code, reference", "code = 'refund'")],
        {"REFUNDS": "not_reversed"},
    ),
    "money given back that nobody recorded": (
        ["DELETE FROM uses_refund"],
        {"REFUNDS": "without_refund"},
    ),
    "a correction of another amount": (
        [COPY.format("credit_account, debit_account, amount_fen + 1, 'posted', 'correction', id", "code = 'paid'")],
        {"REFUNDS": "corrections_different"},
    ),
    "a nonce spent twice": (
        ["INSERT INTO uses_spent_nonce SELECT expires + interval '1 minute', nonce FROM uses_spent_nonce LIMIT 1"],
        {"NONCES": "spent_twice"},
    ),
    "a use without its journal line": (
        [f"DELETE FROM uses_journal_key WHERE use_id = {ONE_USE}"],
        {"JOURNAL_KEYS": "uses_without_key"},
    ),
    "two journal lines for a use": (
        [
            f"INSERT INTO uses_journal_key SELECT terminal_id, journal, sequence + 1000, use_id, content"
            f" FROM uses_journal_key WHERE use_id = {ONE_USE}"
        ],
        {"JOURNAL_KEYS": "uses_with_several"},
    ),
    "a journal line of another terminal": (
        ["UPDATE uses_journal_key SET terminal_id = terminal_id + 1000"],
        {"JOURNAL_KEYS": "other_terminal"},
    ),
    "a quota below its uses": (
        ["UPDATE entitlements_quota SET used = used - 1 WHERE used > 0"],
        {"QUOTAS": "below_uses"},
    ),
    "a quota lost": (
        ["DELETE FROM entitlements_quota"],
        {"QUOTAS": "below_uses"},
    ),
    "a row in a default partition": (
        ["INSERT INTO uses_spent_nonce VALUES ('2040-01-01', 'x')"],
        {"PARTITIONS": "stray_rows"},
    ),
    "no partition for the next step": (
        ["UPDATE foundation_partitioned SET parent = 'uses_later' WHERE parent = 'uses_use'"],
        {"PARTITIONS": "not_made"},
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found(day: SmallCity, breach: str) -> None:
    statements, expected = BREACHES[breach]
    figures = {each.code: each for each in running.FIGURES}
    with broken(day, *statements):
        if breach == "no partition for the next step":
            day.run("CREATE TABLE uses_later_default ()")
        for code, fault in expected.items():
            found = running._figures(day.connection, figures[code])
            assert not found.ok
            assert found.numbers[fault] > 0, found.numbers
    for code in expected:
        assert running._figures(day.connection, figures[code]).ok


def test_a_standing_that_differs_from_its_register(day: SmallCity) -> None:
    """Of a registered card each thing a gate reads is compared."""
    figures = next(each for each in running.FIGURES if each.code == "STANDINGS")
    with day.connection.transaction(force_rollback=True):
        day.run("DELETE FROM cards_standing")
        card = day.a_card(purse_fen=None)
        day.enrol(card, b"0" * 32)
        day.run(
            "UPDATE cards_standing SET card_state = 'inactive', social_security = 'inactive', financial = 'inactive',"
            " transit = 'inactive', holder_id = (SELECT holder_id FROM cards_card WHERE id = card_id)"
        )
        assert running._figures(day.connection, figures).ok
        for change in (
            "card_state = 'active'", "transit = 'active'", "issuing_place = '310100'", "generation = 2",
            """classes = '[["senior_70", "2019-05-01", null]]'""", "holder_id = holder_id + 1",
            "ecard_serial = NULL", "purse_account_id = 1",
        ):  # fmt: skip
            with day.connection.transaction(force_rollback=True):
                day.run(f"UPDATE cards_standing SET {change}")
                assert not running._figures(day.connection, figures).ok, change
        assert running._number_indexes(day.connection).ok
        day.run("UPDATE cards_standing SET number_index = 'another'")
        assert running._number_indexes(day.connection).numbers["different"] == 1


def test_a_right_too_many_is_found(day: SmallCity, fresh_database: dict[str, str]) -> None:
    with day.connection.transaction(force_rollback=True):
        day.run("GRANT UPDATE ON ledger_balance TO PUBLIC")
        found = running._grants(day.connection, fresh_database["owner"])
        assert found.numbers["extra"] == 1
        assert "ledger_balance" in found.lines[0]


def test_a_column_nobody_described_is_found(day: SmallCity) -> None:
    with day.connection.transaction(force_rollback=True):
        day.run("ALTER TABLE ledger_fold ADD COLUMN remark text")
        day.run("CREATE TABLE remarks (id int)")
        found = running._dictionary(day.connection)
        assert found.numbers["undescribed"] == 2
        assert {"ledger_fold.remark", "remarks.id"} <= set(found.lines)


def test_a_forged_fact_is_found(day: SmallCity, fresh_database: dict[str, str]) -> None:
    from onecard.kernel.audit import actions as audit

    day.run("INSERT INTO audit_fact (actor, verb, subject) VALUES ('system:test', 'test.test', 'test:1')")
    with running.django_at(fresh_database["owner"]):
        assert audit.seal() > 0
    assert running._audit(fresh_database["owner"]).ok
    day.run("ALTER TABLE audit_fact DISABLE TRIGGER USER")
    day.run("UPDATE audit_fact SET reason = 'forged' WHERE actor = 'system:test'")
    assert running._audit(fresh_database["owner"]).lines == ("changed seal:1 0",)
    day.run("UPDATE audit_fact SET reason = '' WHERE actor = 'system:test'")
    day.run("ALTER TABLE audit_fact ENABLE TRIGGER USER")
    assert running._audit(fresh_database["owner"]).ok


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        ('{ purpose = "x", class = "secret" }', "class"),
        ('{ purpose = "x", personal = "maybe" }', "personal"),
        ('{ purpose = "x", basis = "none" }', "basis"),
        ('{ purpose = "x", retention = "long" }', "retention"),
        ('""', "no purpose"),
    ],
)
def test_an_incomplete_line_of_the_dictionary_is_a_fault(tmp_path: object, column: str, fault: str) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    path = tmp_path / "dictionary.toml"
    path.write_text(
        '[basis]\nduty = "x"\n[retention]\nlong_ago = "x"\n[t]\nclass = "core"\npersonal = "none"\nbasis = "duty"\n'
        f'retention = "long_ago"\n[t.columns]\nid = "id"\nbad = {column}\n',
        encoding="utf-8",
    )
    found = dictionary.read(path)
    assert len(found.faults) == 1
    assert found.faults[0].startswith(f"t.bad: {fault}")


def test_the_command_prints_both_forms_and_fails_on_a_breach(
    day: SmallCity, fresh_database: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(addresses.ENVIRONMENT, fresh_database["owner"])
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert command.run(argparse.Namespace(json=True)) == 1  # the small city's standings
    told = json.loads(capsys.readouterr().out)
    assert {each["code"] for each in told if not each["ok"]} == WITHOUT_REGISTER
    assert all(each["zh"] and each["en"] for each in told)
    command.run(argparse.Namespace(json=False))
    printed = capsys.readouterr()
    assert "✓ BALANCES" in printed.out
    assert "✗ STANDINGS" in printed.out
    assert "核对" in printed.err


def test_the_check_reads_one_snapshot_and_writes_nothing(fresh_database: dict[str, str]) -> None:
    """Its transaction is read-only, so it cannot mend what it should report."""
    with roles.connect(fresh_database["owner"]) as connection:
        connection.read_only = True
        for each in running.FIGURES:
            running._figures(connection, each)


def test_no_check_walks_uses_in_python() -> None:
    """Every figure is one row of one statement, except the index of card numbers, which takes a key."""
    from onecard.foundation import sql

    for each in running.FIGURES:
        text = sql.load(running.HERE, each.statement)
        assert "AS checked" in text
        assert "LATERAL" not in text
    assert "uses" not in sql.load(running.HERE, "number_indexes")
