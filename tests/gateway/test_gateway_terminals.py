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
        self.reads = 0

    async def fetch(self, code: str) -> Mapping[str, object] | None:
        self.reads += 1
        sealed = [crypto.seal(RING, key, key_aad(7)) for key in self.keys.values()]
        return {"id": 7, "key_ids": list(self.keys), "keys_sealed": sealed}


def check(terminals: Terminals, key_id: int, key: bytes) -> int:
    journal, now = str(uuid4()), int(time.time())
    signature = requests.sign(key, "POST", "/v1/uses", now, journal, 1, BODY)
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
