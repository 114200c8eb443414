"""What a city of people and devices carries for one day, as counter clerks hand it out: ``pockets.json``, mode 600.

Terminals get fresh pairing codes, some residents enrol a phone, some take their card along: here its simulated chip,
number and key. Beside each stands what its owner knows: what their card can do, what they count as, what is in
their purse. The day (`onecard_simulators.day`) plays with these alone and speaks to the gateway only.
"""

import asyncio
import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onecard.demo import owner
from onecard.demo.plan import ACTOR
from onecard.foundation import clock, keys
from onecard.foundation.postgres.raw import rows
from onecard.gateway.issuing import IssuerKeys, issue
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue.models import Offer, Terminal
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards.models import Key
from onecard_kit import chips

STALE_FOR = dt.timedelta(minutes=15)
_NOW = "(c->>1)::date <= $1 AND (c->>2 IS NULL OR (c->>2)::date > $1)"
_COUNTS = f"EXISTS (SELECT FROM jsonb_array_elements(s.classes) c WHERE c->>0 = '{{}}' AND {_NOW})"
_ENTERS = "s.card_state = 'active' AND s.social_security = 'active'"
_RIDES = f"{_ENTERS} AND s.transit = 'active' AND b.account_id IS NOT NULL"
_FREE = "b.free_fen"


class Group(NamedTuple):
    """So many residents of whom a condition on `cards_standing s` and `ledger_balance b` holds; $1 is today."""

    kind: str
    phones: int
    chips: int
    condition: str


GROUPS = (
    Group("short", 10, 10, f"{_RIDES} AND {_FREE} < 100 AND NOT EXISTS (SELECT FROM jsonb_array_elements(s.classes) c"
          f" WHERE {_NOW})"),
    Group("frequent", 4, 4, f"{_RIDES} AND {_COUNTS.format('senior_60')} AND {_FREE} >= 2000"),
    Group("care_free", 15, 15, f"{_RIDES} AND {_COUNTS.format('care_free')}"),
    Group("care_half", 15, 15, f"{_RIDES} AND {_COUNTS.format('care_half')}"),
    Group("pupil", 25, 25, f"{_RIDES} AND {_COUNTS.format('pupil_6_14')}"),
    Group("senior_60", 40, 40, f"{_RIDES} AND {_COUNTS.format('senior_60')}"),
    Group("senior_70", 55, 55, f"{_RIDES} AND {_COUNTS.format('senior_70')}"),
    Group("resident", 110, 110, _RIDES),
    Group("no_transit", 10, 10, f"{_ENTERS} AND s.transit = 'inactive'"),
    Group("suspended", 3, 3, "s.card_state = 'active' AND s.social_security = 'suspended'"),
    Group("lost", 3, 5, "s.card_state = 'lost'"),
    Group("temp_lost", 3, 3, "s.card_state = 'temp_lost'"),
    Group("locked", 2, 2, "s.card_state = 'locked'"),
    Group("inactive", 0, 4, "s.card_state = 'inactive'"),
    Group("cancelled", 0, 4, "s.card_state IN ('cancelled', 'cancelled_after_loss')"),
)  # fmt: skip

PICK = """
SELECT s.card_id, s.holder_id, s.ecard_serial, k.number, s.card_state, s.social_security, s.financial, s.transit,
       s.classes, s.chip_counter, {free}, b.room_fen
FROM cards_standing s JOIN cards_card k ON k.id = s.card_id
LEFT JOIN ledger_balance b ON b.account_id = s.purse_account_id
WHERE {condition} AND {medium} AND s.holder_id <> ALL ($2::bigint[]) AND $1::date IS NOT NULL
ORDER BY md5(s.card_id || $3::text) LIMIT $4
"""
QUOTAS = "SELECT holder_id, rule, used FROM entitlements_quota WHERE holder_id = ANY ($1::bigint[]) AND period = $2"


class Picked(NamedTuple):
    """A resident as picked: the card's row, and what the day should know of it."""

    card_id: int
    holder_id: int
    serial: int | None
    number: str
    card_state: str
    social_security: str
    financial: str
    transit: str
    classes: str  # JSON
    chip_counter: int
    balance_fen: int | None
    room_fen: int | None


def fill(url_owner: str, folder: Path, *, seed: int | None = None) -> Path:
    """Write ``pockets.json`` for a day and return its path. `seed` chooses the residents; by default chance does."""
    with owner.connected(url_owner):
        chosen = seed if seed is not None else secrets.randbelow(2**32)
        pockets = {"made_at": int(clock.now().timestamp()), "terminals": _terminals(), **_residents(chosen)}
    path = folder / "pockets.json"
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(pockets, file, ensure_ascii=False)
    return partial.replace(path)


def _terminals() -> list[dict[str, object]]:
    """Every terminal with a fresh pairing code and what its point offers."""
    offers: dict[int, list[str]] = {}
    for point_id, item_id in Offer.objects.order_by("item_id").values_list("point_id", "item_id"):
        offers.setdefault(point_id, []).append(item_id)
    return [
        {
            "code": terminal.code,
            "operator": terminal.point.operator.code,
            "items": offers.get(terminal.point_id, []),
            "attended": terminal.attended,
            "pairing_code": catalogue.make_pairing_code(ACTOR, terminal.code),
        }
        for terminal in Terminal.objects.select_related("point__operator").order_by("code")
    ]


def _residents(seed: int) -> dict[str, list[dict[str, object]]]:
    """Phones, chips and stale codes, each of other people."""
    taken: list[int] = []
    phones = [(group.kind, each) for group in GROUPS for each in _pick(group, group.phones, "phone", taken, seed)]
    cards = [(group.kind, each) for group in GROUPS for each in _pick(group, group.chips, "chip", taken, seed)]
    stale = list(_pick(Group("stale", 5, 0, _RIDES), 5, "phone", taken, seed))
    root = keys.load("cards").derive("chip")
    used = _quotas([each.holder_id for _, each in (*phones, *cards)])
    return {
        "phones": [{**_known(kind, each, used), "token": _enrol(each)} for kind, each in phones],
        "chips": [{**_known(kind, each, used), **_chip(root, each)} for kind, each in cards],
        "stale_codes": _stale_codes(stale),
    }


def _pick(group: Group, count: int, medium: str, taken: list[int], seed: int) -> list[Picked]:
    """Some residents of a group, nobody twice. Small cities have few of some kinds."""
    statement = PICK.format(
        free=_FREE, condition=group.condition, medium="s.ecard_serial IS NOT NULL" if medium == "phone" else "true"
    )
    found = [Picked(*row) for row in rows(statement, clock.today(), taken, str(seed), count)]
    unique = list({each.holder_id: each for each in found}.values())
    taken += [each.holder_id for each in unique]
    return unique


def _known(kind: str, each: Picked, used: Mapping[int, dict[str, int]]) -> dict[str, object]:
    """What the resident knows of their card, certificates and purse. Amounts in fen; no purse is null."""
    return {
        "kind": kind,
        "card_state": each.card_state,
        "functions": {
            "social_security": each.social_security,
            "financial": each.financial,
            "transit": each.transit,
        },
        "classes": json.loads(each.classes),
        "balance_fen": each.balance_fen,
        "room_fen": each.room_fen,
        "used": used.get(each.holder_id, {}),
    }


def _quotas(holders: list[int]) -> dict[int, dict[str, int]]:
    """How often each holder used what is counted by the day, today."""
    used: dict[int, dict[str, int]] = {}
    for holder_id, rule, count in rows(QUOTAS, holders, clock.today()):
        used.setdefault(holder_id, {})[rule] = count
    return used


def _enrol(each: Picked) -> str:
    assert each.serial is not None
    return ecards.enrol_device(ACTOR, each.serial, "示范日的手机")


def _chip(root: bytes, each: Picked) -> dict[str, object]:
    key = chips.card_key(root, each.number).hex()
    return {"number": each.number, "key": key, "counter": each.chip_counter}


def _stale_codes(chosen: Sequence[Picked]) -> list[dict[str, object]]:
    """Screenshots of codes, a quarter of an hour old."""
    signing = _issuer_keys()
    then = clock.now() - STALE_FOR
    return [
        dict(window)
        for each in chosen
        for window in issue({"serial": each.serial, "classes": each.classes}, 1, then, signing)
    ]


def _issuer_keys() -> IssuerKeys:
    fields = ("id", "kid", "suite", "public", "private_sealed", "sign_to", "withdrawn_at")
    found: list[dict[str, Any]] = list(Key.objects.values(*fields))

    async def fetch() -> Sequence[Mapping[str, object]]:
        return found

    signing = IssuerKeys(os.environ.get("ONECARD_NODE", "320600"), keys.load("codes"), fetch)
    asyncio.run(signing.refresh())
    return signing
