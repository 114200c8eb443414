"""The caller against the simulated bank as a process: each act once, and every way not to answer."""

import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.bank_process import BankProcess, a_bank, a_token
from tests.server_process import a_free_port

from onecard.connectors.bank.caller import Bank, BankSilent
from onecard.connectors.bank.protocol import Said, State
from onecard.foundation.errors import Unavailable

pytestmark = pytest.mark.processes


def test_an_order_is_held_captured_and_given_back_each_once(bank: BankProcess) -> None:
    token, order, back, call = bank.give(a_token(), 1_000), uuid4(), uuid4(), bank.caller
    for _ in range(2):
        assert call.hold(order, token, 300, "NT-BUS") == Said(State.HELD)
    assert bank.account(token) == {"balance_fen": 1_000, "free_fen": 700, "reason": None}
    for _ in range(2):
        assert call.capture(order, 300) == Said(State.CAPTURED)
    for _ in range(2):
        assert call.refund(back, order, 300) == Said(State.REFUNDED)
    assert call.refund(uuid4(), order, 1) == Said(None, "EXCEEDS")
    assert bank.account(token) == {"balance_fen": 1_000, "free_fen": 1_000, "reason": None}
    mine = [(e.kind, e.id, e.hold, e.amount_fen) for e in bank.booked() if e.hold == order]
    assert mine == [("capture", order, order, 300), ("refund", back, order, 300)]


def test_one_id_with_other_content_is_refused(bank: BankProcess) -> None:
    token, order, call = bank.give(a_token(), 1_000), uuid4(), bank.caller
    assert call.hold(order, token, 300, "NT-BUS").state is State.HELD
    assert call.hold(order, token, 301, "NT-BUS") == Said(None, "ID_REUSED")
    assert call.hold(order, a_token(), 300, "NT-BUS") == Said(None, "ID_REUSED")
    assert call.capture(order, 301) == Said(None, "EXCEEDS")
    assert call.capture(order, 200).state is State.CAPTURED
    assert call.capture(order, 300) == Said(None, "ID_REUSED")
    assert call.release(order) == Said(None, "NOT_HELD")


def test_a_bank_refuses_with_its_return_codes(bank: BankProcess) -> None:
    call = bank.caller
    assert call.hold(uuid4(), bank.give(a_token(), 299), 300, "NT-BUS") == Said(State.REFUSED, "51")
    assert call.hold(uuid4(), bank.give(a_token(), 999, "04"), 300, "NT-BUS") == Said(State.REFUSED, "04")
    assert call.hold(uuid4(), "6228480402564890018", 300, "NT-BUS") == Said(State.REFUSED, "01")
    bank.behave("refuse", reason="06")
    assert call.hold(uuid4(), a_token(), 300, "NT-BUS") == Said(State.REFUSED, "06")


def test_two_holds_do_not_take_the_same_fen(bank: BankProcess) -> None:
    token, call = bank.give(a_token(), 500), bank.caller
    first = uuid4()
    assert call.hold(first, token, 300, "NT-BUS").state is State.HELD
    assert call.hold(uuid4(), token, 300, "NT-BUS") == Said(State.REFUSED, "51")
    assert call.release(first).state is State.RELEASED
    assert call.hold(uuid4(), token, 300, "NT-BUS").state is State.HELD


def test_a_release_is_final_for_a_hold_that_comes_later(bank: BankProcess) -> None:
    token, order, call = bank.give(a_token(), 1_000), uuid4(), bank.caller
    assert call.release(order) == Said(State.RELEASED)
    assert call.hold(order, token, 300, "NT-BUS") == Said(State.RELEASED)
    assert bank.account(token)["free_fen"] == 1_000


@pytest.mark.parametrize(
    ("behaviour", "does_the_work", "waits"),
    [("silent", False, True), ("answer_lost", True, True), ("down", False, False), ("slow", True, True)],
)
def test_a_bank_that_does_not_answer_in_time_is_silent(
    bank: BankProcess, behaviour: str, does_the_work: bool, waits: bool
) -> None:
    token, order = bank.give(a_token(), 1_000), uuid4()
    bank.behave(behaviour, "hold", slow_s=0.8)
    started = time.monotonic()
    with pytest.raises(BankSilent):
        Bank(bank.url, bank.key, answer_s=0.5).hold(order, token, 300, "NT-BUS")
    assert (time.monotonic() - started >= 0.5) == waits
    assert time.monotonic() - started < 2
    if behaviour == "slow":
        time.sleep(0.6)
    assert bank.account(token)["free_fen"] == (700 if does_the_work else 1_000)
    assert bank.caller.release(order).state is State.RELEASED
    assert bank.account(token)["free_fen"] == 1_000


def test_whoever_has_another_key_hears_nothing_and_changes_nothing(bank: BankProcess) -> None:
    token = bank.give(a_token(), 1_000)
    with pytest.raises(BankSilent):
        Bank(bank.url, bytes(32)).hold(uuid4(), token, 300, "NT-BUS")
    assert bank.account(token)["free_fen"] == 1_000


def test_an_old_request_is_refused(bank: BankProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    token = bank.give(a_token(), 1_000)
    monkeypatch.setattr("onecard.connectors.bank.caller._now", lambda: int(time.time()) - 400)
    with pytest.raises(BankSilent):
        bank.caller.hold(uuid4(), token, 300, "NT-BUS")
    assert bank.account(token)["free_fen"] == 1_000


def test_requests_that_make_no_sense_are_refused(bank: BankProcess) -> None:
    call = bank.caller
    assert call.capture(uuid4(), 1) == Said(None, "UNKNOWN")
    assert call.refund(uuid4(), uuid4(), 1) == Said(None, "UNKNOWN")
    assert call.hold(uuid4(), a_token(), -5, "NT-BUS") == Said(State.REFUSED, "07")
    assert httpx.post(f"{bank.url}/v1/holds", content=b"{").status_code == 401


def test_nobody_there_is_silent() -> None:
    with pytest.raises(BankSilent):
        Bank(f"http://127.0.0.1:{a_free_port()}", bytes(32)).release(uuid4())


def test_a_statement_has_pages(bank: BankProcess) -> None:
    token, call, orders = bank.give(a_token(), 100_000), bank.caller, [uuid4() for _ in range(501)]
    before = len(bank.booked())
    for order in orders:
        assert call.hold(order, token, 1, "NT-BUS").state is State.HELD
        assert call.capture(order, 1).state is State.CAPTURED
    assert [entry.id for entry in bank.booked()][before:] == orders


def test_a_killed_bank_comes_back_with_its_books(tmp_path: Path) -> None:
    with a_bank(tmp_path) as bank:
        token, order = bank.give(a_token(), 1_000), uuid4()
        assert bank.caller.hold(order, token, 300, "NT-BUS").state is State.HELD
        bank.kill()
        with pytest.raises(BankSilent):
            bank.caller.capture(order, 300)
        bank.start()
        assert bank.held_fen() == 300
        assert bank.caller.capture(order, 300).state is State.CAPTURED
        assert bank.account(token)["balance_fen"] == 700
        assert [(entry.id, entry.amount_fen) for entry in bank.booked()] == [(order, 300)]


def test_an_account_is_made_when_it_is_first_heard_of(bank: BankProcess) -> None:
    token = a_token()
    assert 5_000 <= bank.account(token)["balance_fen"] < 8_000_000
    assert bank.account(token) == bank.account(token)
    assert bank.account("6228480402564890018") == {"error": "UNKNOWN"}


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://127.0.0.1:1", ""),
        ("", "00" * 32),
        ("127.0.0.1:1", "00" * 32),
        ("ftp://127.0.0.1", "00" * 32),
        ("http://127.0.0.1:1/path", "00" * 32),
        ("http://127.0.0.1:1", "zz" * 32),
        ("http://127.0.0.1:1", "00" * 31),
    ],
)
def test_settings_that_name_no_bank_are_refused_at_the_start(url: str, key: str) -> None:
    with pytest.raises(Unavailable, match="BANK_MISCONFIGURED"):
        Bank.from_environment({"ONECARD_BANK_URL": url, "ONECARD_BANK_KEY": key})


def test_without_settings_there_is_no_bank() -> None:
    assert Bank.from_environment({}) is None


def test_the_key_is_in_no_log() -> None:
    assert "00" * 16 not in repr(Bank("http://127.0.0.1:1", bytes(32)))
