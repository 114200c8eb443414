"""Clients of the demo whose systems may call the department API: what is agreed with them, and a credential each, whose
secret lies in a file of mode 600 and nowhere else.

Whoever has a credential keeps it, unless the file was lost: then a new one takes over at once.
"""

import datetime as dt
import json
import os
from pathlib import Path
from typing import NamedTuple

from onecard.demo import nantong, running
from onecard.demo.plan import ACTOR
from onecard.foundation import clock
from onecard.kernel.messages import queries as messages
from onecard.kernel.messages import signing
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.sharing import actions, endpoints, queries
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.sharing.scopes import Scope

# What the provinces' rules say of exchanging data within the system.
BASIS = "js-2022/19"
LASTS = dt.timedelta(days=365)


class ClientRow(NamedTuple):
    """A client by its code, and what is agreed with it for a purpose."""

    code: str
    scopes: tuple[Scope, ...]
    purpose_zh: str
    purpose_en: str


CLIENTS = (
    ClientRow(nantong.BUS, tuple(Scope), "乘车服务与账务核对（演示）", "Rides and their accounts (demo)"),
    ClientRow(
        nantong.HOSPITAL,
        (Scope.IDENTIFY, Scope.CARDS, Scope.CATALOGUE),
        "挂号时核对持卡状态（演示）",
        "Checking a card at registration (demo)",
    ),
)


def make(path: Path, receiver_url: str = "") -> None:
    """Agree what is not agreed, and give a credential to each client that the file has none of. With the address of the
    simulated receiver, its first client takes messages there; what it has to know lies beside the file.
    """
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for row in CLIENTS:
        _agree(row)
        if not _is_good(known.get(row.code, ""), row.code):
            known[row.code] = ":".join(actions.rotate_credential(ACTOR, row.code, dt.timedelta()))
            _write(path, known)
    if receiver_url:
        _write(path.with_name(running.RECEIVER), _taking_messages(CLIENTS[0].code, receiver_url))


def _taking_messages(code: str, url: str) -> dict[str, str]:
    """File the endpoint, in place of one at another port; the keys that the receiver is to know, by their ids."""
    for known in messages.endpoints_of(f"client:{code}"):
        if known.url != url:
            endpoints.end(ACTOR, known.pk, "moved")
    endpoint, _ = endpoints.add(ACTOR, code, url, [*Kind])
    numbers = range(1, endpoint.key_number + 1)
    return {signing.key_id(endpoint.pk, n): signing.key_of(endpoint.pk, n).hex() for n in numbers}


def _agree(row: ClientRow) -> None:
    today = clock.today()
    held = set(Agreement.in_force(today).filter(client__code=row.code).values_list("scope", flat=True))
    for scope in row.scopes:
        if scope not in held:
            actions.agree(
                ACTOR, row.code, scope, purpose_zh=row.purpose_zh, purpose_en=row.purpose_en, basis=BASIS,
                ends_on=today + LASTS,
            )  # fmt: skip


def _is_good(credential: str, code: str) -> bool:
    return credential.partition(":")[0] in {each.client_id for each in queries.open_credentials(code)}


def _write(path: Path, known: dict[str, str]) -> None:
    """Whole or not at all, and nobody else's to read."""
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(known, file, indent=1)
    partial.replace(path)
