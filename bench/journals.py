"""`./onecard bench journals`: lines of gates' journals a second, against the same rides told one by one as they happen.

    journals.batch   journals of 200 gates, uploaded over several connections at once;
                     limit: `uses.ride`, online through the same gateway in the same city

Both are the whole way to what is recorded and paid: of each ride its code, its mac or signature, decision, money and
quota. The lines are ready before the clock starts; every one must be recorded and admitted.
"""

import http.client
import json
import os
import secrets
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

from bench.harness import Figure, Sample, interleave, report, server_cpu_s, server_version, tree_cpu_s
from bench.uses import (
    CARDS,
    CONNECTIONS,
    KID,
    PLACE,
    PORT,
    ROUNDS,
    TERMINALS,
    WORKERS,
    City,
    a_town,
    drive,
)
from onecard.foundation import clock
from onecard.foundation.postgres.embedded import EmbeddedPostgres
from onecard_kit import codes, requests
from onecard_kit.journal import JournalLine, encode
from onecard_kit.refs import permutation

ITEM = "transit.bus_ride"
UPLOAD = "/v1/uses:batch"
LINES_EACH = 250
UPLOADS_AT_ONCE = 16
CODE_S = 900


@dataclass(frozen=True)
class Ready:
    """An upload, made ready: its headers and its body."""

    headers: dict[str, str]
    body: bytes


def journals(city: City) -> Iterator[Ready]:
    """A new journal of each terminal, its lines by cards drawn at random."""
    now, permute = int(time.time()), permutation(city.ref_key, clock.today())
    for _, code, key_id, key in city.terminals[ITEM]:
        journal = str(uuid4())
        body, last = [], journal
        for sequence in range(LINES_EACH):
            claims = codes.Claims(
                issuer=PLACE, kid=KID, ref=permute.ref(secrets.randbelow(CARDS) + 1), via=codes.Via.SELF,
                not_before=now, expires=now + CODE_S, nonce=os.urandom(codes.NONCE_BYTES), classes=(2,),
            )  # fmt: skip
            line = JournalLine(
                sequence=sequence, at_ms=now * 1000 + sequence, shift_ms=0, key_id=key_id, item=ITEM,
                code=codes.encode(claims, city.signer), verdict="ADMITTED", paid_fen=100,
                lists={"cards": now - 60, "ecards": now - 60},
            )  # fmt: skip
            raw, last = encode(line, journal, last, key, requests.HMAC_SHA256)
            body.append(raw)
        yield Ready(_headers(code, key_id, key, now, journal), b"".join(body))


def _headers(code: str, key_id: int, key: bytes, now: int, journal: str) -> dict[str, str]:
    return {
        requests.TERMINAL: code,
        requests.KEY: str(key_id),
        requests.TIME: str(now),
        requests.JOURNAL: journal,
        requests.SEQUENCE: "0",
        requests.SIGNATURE: requests.sign(key, "POST", UPLOAD, now, journal, 0, b""),
        "Content-Type": "application/x-onecard-journal",
    }


def upload(ready: Ready) -> bytes:
    """Upload one journal over a connection of its own, as a gate does; the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
    try:
        connection.request("POST", UPLOAD, ready.body, ready.headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def told(answer: bytes) -> Counter[str]:
    """How many lines came to what."""
    *results, end = map(json.loads, answer.splitlines())
    if not end.get("done"):
        raise RuntimeError(f"an upload was not taken: {end}")
    return Counter(f"{each['result']} {each['verdict']}" for each in results)


def take(city: City, cluster: EmbeddedPostgres, gateway: subprocess.Popen[bytes]) -> Sample:
    """One round: every gate's journal, several at once."""
    waiting = list(journals(city))
    before = tree_cpu_s(gateway.pid) + server_cpu_s(cluster)
    started = time.perf_counter()
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        answers = list(pool.map(upload, waiting))
    took_s = time.perf_counter() - started
    spent_s = tree_cpu_s(gateway.pid) + server_cpu_s(cluster) - before
    lines, came_to = TERMINALS * LINES_EACH, sum(map(told, answers), Counter[str]())
    if came_to != Counter({"recorded ADMITTED": lines}):
        raise RuntimeError(f"not every line was recorded and admitted: {came_to}")
    return Sample(lines / took_s, spent_s / lines * 1e6)


def measure(rounds: int = ROUNDS) -> list[Figure]:
    with a_town(PORT) as (city, cluster, gateway):
        conditions: dict[str, object] = {
            "postgresql": server_version(city.owner_url), "cards": CARDS, "gateway_processes": WORKERS,
            "journals": TERMINALS, "lines_each": LINES_EACH, "uploads_at_once": UPLOADS_AT_ONCE,
            "limit_is": f"uses.ride: the same rides online, one request each, {CONNECTIONS} connections",
        }  # fmt: skip
        return [
            interleave(
                "journals.batch",
                lambda: take(city, cluster, gateway),
                lambda: drive(city, cluster, gateway, PORT, ITEM),
                rounds,
                **conditions,
            )
        ]


def main(arguments: list[str]) -> int:
    report(measure(), "--json" in arguments)
    return 0
