"""What a process remembers of terminals, while another process pairs them anew."""

import asyncio
import json
import time
from collections.abc import Mapping
from uuid import uuid4

import pytest

from onecard.foundation import crypto
from onecard.foundation.keys import Key, Keyring
from onecard.gateway.errors import Unauthenticated
from onecard.gateway.terminals import UNKNOWN_KEPT_S, Terminals, key_aad
from onecard_kit import requests

RING = Keyring("terminals", (Key(1, b"\x01" * 32),))
BODY = json.dumps({}).encode()


class Database:
    """A terminal's keys, and how often they were read."""

    def __init__(self) -> None:
        self.keys = {1: b"a" * 32}
        self.algorithms: dict[int, str] = {}
        self.reads = 0

    async def fetch(self, code: str) -> Mapping[str, object] | None:
        self.reads += 1
        sealed = [crypto.seal(RING, key, key_aad(7)) for key in self.keys.values()]
        told = [self.algorithms.get(key_id, "hmac-sha256") for key_id in self.keys]
        return {"id": 7, "key_ids": list(self.keys), "keys_sealed": sealed, "algorithms": told}


def check(terminals: Terminals, key_id: int, key: bytes, mac: requests.Mac = requests.HMAC_SHA256) -> int:
    journal, now = str(uuid4()), int(time.time())
    signature = requests.sign(key, "POST", "/v1/uses", now, journal, 1, BODY, mac=mac)
    values = ("T-1", str(key_id), str(now), journal, "1", signature)
    headers = {name.lower(): value for name, value in zip(requests.HEADERS, values, strict=True)}
    return asyncio.run(terminals.check("POST", "/v1/uses", headers, BODY)).key_id


def test_a_key_that_another_process_gave_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    database, clock = Database(), [1000.0]
    monkeypatch.setattr("onecard.gateway.terminals.time.monotonic", lambda: clock[0])
    terminals = Terminals(RING, database.fetch)
    assert check(terminals, 1, b"a" * 32) == 1
    database.keys[2] = b"b" * 32
    clock[0] += UNKNOWN_KEPT_S + 0.1
    assert check(terminals, 2, b"b" * 32) == 2
    assert check(terminals, 1, b"a" * 32) == 1
    assert database.reads == 2


def test_strangers_cannot_make_it_look_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    database, clock = Database(), [1000.0]
    monkeypatch.setattr("onecard.gateway.terminals.time.monotonic", lambda: clock[0])
    terminals = Terminals(RING, database.fetch)
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            check(terminals, 99, b"z" * 32)
        clock[0] += UNKNOWN_KEPT_S / 10
    assert database.reads <= 3


def test_each_key_has_its_own_algorithm_and_takes_no_other() -> None:
    database = Database()
    database.keys[2], database.algorithms[2] = b"b" * 32, "hmac-sm3"
    terminals = Terminals(RING, database.fetch)
    assert check(terminals, 1, b"a" * 32) == 1
    assert check(terminals, 2, b"b" * 32, requests.HMAC_SM3) == 2
    for key_id, key, mac in ((1, b"a" * 32, requests.HMAC_SM3), (2, b"b" * 32, requests.HMAC_SHA256)):
        with pytest.raises(Unauthenticated):
            check(terminals, key_id, key, mac)
