"""The sandbox of the demo: what the integrators' pages lend (`onecard.developers.sandbox`), in a file of mode 600.

A terminal that is paired already for the pages' own trial, others with fresh pairing codes, and phones of a few
synthetic residents. What a file holds is kept while it is good; the day of the city takes none of it.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from django.db import transaction

from onecard.demo import nantong
from onecard.demo.plan import ACTOR
from onecard.foundation import clock, crypto, keys, sql, suite
from onecard.foundation.postgres.raw import rows
from onecard.gateway.terminals import key_aad
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue.models import ItemVersion, Terminal, TerminalKey
from onecard.kernel.ecards import actions as ecards

CATALOGUE: Final = "onecard.kernel.catalogue"
PHONE: Final = "沙箱测试手机"
_ACTIVE: Final = "s.card_state = 'active' AND s.social_security = 'active'"
_RIDES: Final = f"{_ACTIVE} AND s.transit = 'active' AND b.account_id IS NOT NULL"
_CLASS: Final = (
    "EXISTS (SELECT FROM jsonb_array_elements(s.classes) c"
    " WHERE (c->>1)::date <= $2 AND (c->>2 IS NULL OR (c->>2)::date > $2) {})"
)
_NO_CLASS: Final = "NOT " + _CLASS.format("")
_SENIOR: Final = _CLASS.format("AND c->>0 = 'senior_70'")


class Wanted(NamedTuple):
    """A test holder: what to expect, and a condition on `cards_standing s` and `ledger_balance b`; $2 is today."""

    name: str
    zh: str
    en: str
    condition: str


WANTED: Final = (
    Wanted("resident", "普通居民，钱包有钱", "A resident with money in the purse",
           f"{_RIDES} AND b.free_fen >= 5000 AND {_NO_CLASS}"),
    Wanted("senior", "70 周岁以上老人", "A senior of 70 or more",
           f"{_RIDES} AND {_SENIOR}"),
    Wanted("short", "钱包余额不足", "A resident whose purse is nearly empty",
           f"{_RIDES} AND b.free_fen < 100 AND {_NO_CLASS}"),
    Wanted("no_transit", "未开通交通功能", "A resident whose card is not open for rides",
           f"{_ACTIVE} AND s.transit = 'inactive'"),
    Wanted("lost", "卡已挂失（取不到二维码）", "A resident whose card is lost (no code can be fetched)",
           "s.card_state IN ('lost', 'temp_lost')"),
)  # fmt: skip
PICK: Final = """
SELECT s.holder_id, s.ecard_serial FROM cards_standing s
LEFT JOIN ledger_balance b ON b.account_id = s.purse_account_id
WHERE {condition} AND s.ecard_serial IS NOT NULL AND s.holder_id <> ALL ($1::bigint[])
  AND $2::date IS NOT NULL
ORDER BY s.card_id LIMIT 1
"""
TAKEN: Final = """
SELECT DISTINCT s.holder_id FROM ecards_device d
JOIN ecards_ecard e ON e.serial = d.ecard_id JOIN cards_standing s ON s.card_id = e.card_id
WHERE d.label = $1
"""


@transaction.atomic
def make(path: Path, gateway: str) -> None:
    """Write the sandbox's file anew; what the last one held and is still good stays as it was."""
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    first, *others = Terminal.objects.filter(point__code=nantong.SANDBOX).order_by("pk")
    told = {
        "gateway": gateway,
        "trial": _trial(first, known.get("trial", {})),
        "terminals": [{"terminal": t.code, "pairing_code": catalogue.make_pairing_code(ACTOR, t.code)} for t in others],
        "holders": known.get("holders") or _holders(),
        "items": [_item(code) for code in nantong.TRIED],
    }
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(told, file, ensure_ascii=False, indent=1)
    partial.replace(path)


def holders_taken() -> list[int]:
    """The holders whom the sandbox lends: a day of the city leaves them alone."""
    return [holder_id for (holder_id,) in rows(TAKEN, PHONE)]


def _trial(terminal: Terminal, known: dict[str, Any]) -> dict[str, Any]:
    """The terminal of the pages' own trial, paired unless it was: a key and a journal, as a pairing gives them."""
    if TerminalKey.objects.filter(pk=known.get("key_id", 0), terminal=terminal, valid_to=None).exists():
        return known
    digest = hashlib.sha256(catalogue.make_pairing_code(ACTOR, terminal.code).encode()).digest()
    pairing_id = rows(sql.load(CATALOGUE, "pairing"), digest)[0][0]
    key, mac = os.urandom(32), suite.of_node().mac.name
    sealed = crypto.seal(keys.load("terminals"), key, key_aad(terminal.pk))
    key_id = rows(sql.load(CATALOGUE, "pair"), pairing_id, terminal.pk, sealed, mac)[0][0]
    audit.record(ACTOR, "catalogue.pair", f"terminal:{terminal.pk}", place=nantong.PLACE)
    return {
        "terminal": terminal.code,
        "key_id": key_id,
        "key": key.hex(),
        "algorithm": mac,
        "journal": str(uuid4()),
    }


def _holders() -> list[dict[str, Any]]:
    """A phone of somebody of each kind; a very small city lacks some."""
    taken: list[int] = []
    made = []
    for wanted in WANTED:
        for holder_id, serial in rows(PICK.format(condition=wanted.condition), taken, clock.today()):
            taken.append(holder_id)
            token = ecards.enrol_device(ACTOR, serial, PHONE)
            made.append({"name": wanted.name, "said": {"zh": wanted.zh, "en": wanted.en}, "token": token})
    return made


def _item(code: str) -> dict[str, Any]:
    name = ItemVersion.objects.filter(item_id=code).latest("version").declaration["name"]
    return {"code": code, "said": {"zh": name["zh"], "en": name["en"]}}
