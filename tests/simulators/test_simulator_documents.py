"""What the simulators wrote down from the documents is what the documents say."""

import hmac
import time

from onecard_simulators.wire import Chip, Terminal

KEY = bytes(range(32))
TERMINAL = Terminal("NT-BUS-0001", "NT-BUS-L01", "NT-BUS", ("transit.bus_ride",), 1, KEY, "j1")


def test_a_request_is_signed_as_the_document_shows() -> None:
    headers = TERMINAL.headers("/v1/uses", 42, b"{}", sent_at=1767225600)
    assert headers["OneCard-Signature"] == "37b2879ecf6515edad5d01e26a0fe420fb5a09cbc807ec99829fef989d9a44ba"


def test_a_chip_answers_as_the_document_shows() -> None:
    key = hmac.digest(KEY, b"C20260001", "sha256")[:16]
    answer = Chip("C20260001", key, 0).answer(TERMINAL, 42, counter=7)
    assert answer == {"number": "C20260001", "counter": 7, "cryptogram": "6c0a4aabc0189dd6"}


def test_a_chip_counts_on_from_day_to_day() -> None:
    chip, now_s = Chip("C20260001", KEY, 5), int(time.time())
    first = chip.answer(TERMINAL, 1)["counter"]
    assert first >= now_s
    assert chip.answer(TERMINAL, 2)["counter"] > first
