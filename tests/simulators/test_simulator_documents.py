"""What the simulators wrote down from the documents is what the documents, and the product, say."""

import time

import pytest

from onecard import scenarios
from onecard_kit import terms
from onecard_simulators import tariff
from onecard_simulators.wire import Chip, Terminal

KEY = bytes(range(32))
TERMINAL = Terminal("NT-BUS-0001", "NT-BUS", (tariff.RIDE,), 1, KEY, "j1")


def declared(code: str) -> terms.Item:
    field, name = code.split(".")
    return terms.load(scenarios.FOLDER / field / "items" / f"{name}.toml")


def test_a_request_is_signed_as_the_document_shows() -> None:
    headers = TERMINAL.headers("/v1/uses", 42, b"{}", sent_at=1767225600)
    assert headers["OneCard-Signature"] == "37b2879ecf6515edad5d01e26a0fe420fb5a09cbc807ec99829fef989d9a44ba"


def test_a_chip_answers_as_the_document_shows() -> None:
    import hmac

    key = hmac.digest(KEY, b"C20260001", "sha256")[:16]
    answer = Chip("C20260001", key, 0).answer(TERMINAL, 42, counter=7)
    assert answer == {"number": "C20260001", "counter": 7, "cryptogram": "6c0a4aabc0189dd6"}


def test_a_chip_counts_on_from_day_to_day() -> None:
    chip, now_s = Chip("C20260001", KEY, 5), int(time.time())
    first = chip.answer(TERMINAL, 1)["counter"]
    assert first >= now_s
    assert chip.answer(TERMINAL, 2)["counter"] > first


def test_the_published_fares_are_those_declared() -> None:
    item = declared(tariff.RIDE)
    assert item.price is not None
    assert item.price.full_fen == tariff.RIDE_FEN
    said = [(each.class_, each.price.percent, each.quota.count if each.quota else None) for each in item.concession]
    assert said == [tuple(fare) for fare in tariff.FARES]


def test_the_published_top_up_is_that_declared() -> None:
    item = declared(tariff.TOPUP)
    assert item.price is not None
    assert item.price.open_fen == tariff.TOPUP_FEN
    assert [(each.class_, each.price.percent) for each in item.concession] == [("everyone", tariff.TOPUP_PAID_PERCENT)]


@pytest.mark.parametrize("item", [tariff.RIDE, tariff.ENTRY])
def test_functions_are_those_declared(item: str) -> None:
    assert declared(item).function == tariff.FUNCTIONS[item]
