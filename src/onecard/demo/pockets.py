"""What a city of people and devices carries for one day, as counter clerks hand it out: ``pockets.json``, mode 600.

Terminals get fresh pairing codes, some residents enrol a phone, some take their card along: here its simulated chip,
number and key. Beside each stands what its owner knows: what their card can do, what they count as, what is in their
purse, which passes they bought, where they tapped in, what they used up. Beside each point stands what the sign on its
door says. The day (`onecard_simulators.day`) plays with these alone and speaks to the gateway and the bank only.
"""

import asyncio
import datetime as dt
import json
import math
import os
import random
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onecard.demo import guests, nantong, owner, sandbox
from onecard.demo.plan import ACTOR
from onecard.foundation import clock, keys, node, workdays
from onecard.foundation.postgres.raw import rows
from onecard.gateway.issuing import IssuerKeys, issue
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue.models import Offer, Terminal
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards.models import Key, RefKey
from onecard_kit import chips

STALE_FOR = dt.timedelta(minutes=15)
_NOW = "(c->>1)::date <= $1 AND (c->>2 IS NULL OR (c->>2)::date > $1)"
_COUNTS = f"EXISTS (SELECT FROM jsonb_array_elements(s.classes) c WHERE c->>0 = '{{}}' AND {_NOW})"
_ENTERS = "s.card_state = 'active' AND s.social_security = 'active'"
_RIDES = f"{_ENTERS} AND s.transit = 'active' AND b.account_id IS NOT NULL"
_FREE = "b.free_fen"


class Group(NamedTuple):
    """So many residents of a city of 20,000 of whom a condition on `cards_standing s` and `ledger_balance b` holds; $1
    is today.
    """

    kind: str
    phones: int
    chips: int
    condition: str


def _class(code: str) -> str:
    return f"{_ENTERS} AND {_COUNTS.format(code)}"


GROUPS = (
    Group("short", 25, 25, f"{_RIDES} AND {_FREE} < 100 AND NOT EXISTS (SELECT FROM jsonb_array_elements(s.classes) c"
          f" WHERE {_NOW})"),
    Group("frequent", 4, 4, f"{_RIDES} AND {_COUNTS.format('senior_60')} AND {_FREE} >= 2000"),
    Group("care_free", 20, 20, f"{_RIDES} AND {_COUNTS.format('care_free')}"),
    Group("care_half", 20, 20, f"{_RIDES} AND {_COUNTS.format('care_half')}"),
    Group("veteran", 15, 15, _class("veteran")),
    Group("disabled", 10, 10, _class("disabled")),
    Group("low_income", 25, 25, _class("low_income")),
    Group("volunteer", 30, 30, _class("volunteer")),
    Group("teacher", 12, 12, _class("teacher")),
    Group("office_staff", 70, 70, f"{_class('office_staff')} AND b.account_id IS NOT NULL"),
    Group("pupil", 40, 40, f"{_RIDES} AND {_COUNTS.format('pupil_6_14')}"),
    Group("student", 60, 60, _class("student")),
    Group("senior_60", 60, 60, f"{_RIDES} AND {_COUNTS.format('senior_60')}"),
    Group("senior_70", 80, 80, f"{_RIDES} AND {_COUNTS.format('senior_70')}"),
    Group("banked", 70, 70, f"{_ENTERS} AND s.financial = 'active' AND {_FREE} < 5000"),
    Group("resident", 220, 220, _RIDES),
    Group("no_transit", 15, 15, f"{_ENTERS} AND s.transit = 'inactive'"),
    Group("suspended", 3, 3, "s.card_state = 'active' AND s.social_security = 'suspended'"),
    Group("lost", 3, 5, "s.card_state = 'lost'"),
    Group("temp_lost", 3, 3, "s.card_state = 'temp_lost'"),
    Group("locked", 2, 2, "s.card_state = 'locked'"),
    Group("inactive", 0, 4, "s.card_state = 'inactive'"),
    Group("cancelled", 0, 4, "s.card_state IN ('cancelled', 'cancelled_after_loss')"),
)  # fmt: skip
# A smaller city sends fewer out, but never fewer than this share of the groups above.
CITY, SMALLEST = 20_000, 0.3

PICK = """
SELECT s.card_id, s.holder_id, s.ecard_serial, k.number, s.issuing_place, s.card_state, s.social_security, s.financial,
       s.transit, s.classes, s.chip_counter, a.token, {free}, b.room_fen
FROM cards_standing s JOIN cards_card k ON k.id = s.card_id
LEFT JOIN ledger_balance b ON b.account_id = s.purse_account_id
LEFT JOIN cards_account a ON a.card_id = s.card_id
WHERE {condition} AND {medium} AND s.holder_id <> ALL ($2::bigint[]) AND $1::date IS NOT NULL
  AND NOT EXISTS (SELECT FROM uses_journey j WHERE j.card_id = s.card_id AND j.ended_at IS NULL
                  AND j.ends_by < now() + interval '1 hour')
ORDER BY md5(s.card_id || $3::text) LIMIT $4
"""
QUOTAS = """
SELECT holder_id, jsonb_agg(jsonb_build_array(rule, period, used))::text FROM entitlements_quota
WHERE holder_id = ANY ($1::bigint[])
  AND period IN (to_char($2::date, 'YYYY-MM-DD'), to_char($2::date, 'YYYY-MM'), to_char($2::date, 'YYYY'))
GROUP BY holder_id
"""
PASSES = """
SELECT holder_id, jsonb_agg(jsonb_build_object('item', item, 'activate_by', activate_by, 'lasts_days', lasts_days,
                                               'starts_on', starts_on, 'uses_left', uses_left) ORDER BY id)::text
FROM entitlements_pass WHERE holder_id = ANY ($1::bigint[]) AND NOT given_back GROUP BY holder_id
"""
ORDERS = """
SELECT holder_id, jsonb_object_agg(item, means)::text FROM entitlements_means
WHERE holder_id = ANY ($1::bigint[]) GROUP BY holder_id
"""
JOURNEYS = """
SELECT card_id, jsonb_agg(jsonb_build_object('use', id, 'item', item, 'point', point, 'concession', concession,
                                             'held_fen', held_fen, 'at', extract(epoch FROM at)))::text
FROM uses_journey WHERE card_id = ANY ($1::bigint[]) AND ended_at IS NULL GROUP BY card_id
"""
RIDES = """
SELECT card_id, jsonb_agg(jsonb_build_object('use', id, 'item', item, 'at', extract(epoch FROM at)))::text FROM uses_use
WHERE card_id = ANY ($1::bigint[]) AND at > now() - interval '1 day' AND verdict = 'ADMITTED'
  AND leg IS DISTINCT FROM 'in' AND NOT EXISTS (SELECT FROM uses_refund r WHERE r.use_id = uses_use.id)
GROUP BY card_id
"""
POINTS = """
SELECT p.code, p.division, p.hours::text, p.media, (
    SELECT jsonb_object_agg(o.item_id, jsonb_build_object(
        'most', coalesce(o.capacity_count, (v.declaration->'capacity'->>'count')::int), 'entered', coalesce(c.used, 0)))
    FROM catalogue_offer o
    LEFT JOIN catalogue_item_version v ON v.item_id = o.item_id AND v.stage IN ('published', 'ended')
         AND v.starts_on <= $1 AND (v.ends_on IS NULL OR v.ends_on > $1)
    LEFT JOIN entitlements_capacity c ON c.point_id = o.point_id AND c.rule = o.item_id
         AND c.period = to_char($1::date, CASE v.declaration->'capacity'->>'period'
                                          WHEN 'year' THEN 'YYYY' WHEN 'month' THEN 'YYYY-MM' ELSE 'YYYY-MM-DD' END)
    WHERE o.point_id = p.id)::text
FROM catalogue_point p ORDER BY p.code
"""


class Picked(NamedTuple):
    """A resident as picked: the card's row, and what the day should know of it."""

    card_id: int
    holder_id: int
    serial: int | None
    number: str
    place: str
    card_state: str
    social_security: str
    financial: str
    transit: str
    classes: str  # JSON
    chip_counter: int
    account: str | None
    balance_fen: int | None
    room_fen: int | None


def fill(url_owner: str, folder: Path, *, seed: int | None = None) -> Path:
    """Write ``pockets.json`` for a day and return its path. `seed` chooses the residents; by default chance does."""
    with owner.connected(url_owner):
        chosen = seed if seed is not None else secrets.randbelow(2**32)
        residents = _residents(url_owner, chosen)  # some are let in somewhere, before the signs on the doors are read
        pockets = {
            "made_at": int(clock.now().timestamp()), "days": _days(), "points": _points(), "terminals": _terminals(),
            **residents,
        }  # fmt: skip
    path = folder / "pockets.json"
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(pockets, file, ensure_ascii=False)
    return partial.replace(path)


def _days() -> dict[str, str]:
    """What kind of day today and tomorrow are: a day may be played around midnight."""
    today = clock.today()
    return {day.isoformat(): workdays.kind_of(day) for day in (today, today + dt.timedelta(days=1))}


def _points() -> list[dict[str, object]]:
    """What the sign on each door says, and how many went in where only so many may."""
    return [
        {
            "code": code,
            "division": division,
            "hours": json.loads(hours),
            "media": media,
            "offers": json.loads(offers or "{}"),
        }
        for code, division, hours, media, offers in rows(POINTS, clock.today())
        if code != nantong.SANDBOX
    ]


def _terminals() -> list[dict[str, object]]:
    """Every terminal with a fresh pairing code and what its point offers."""
    offers: dict[int, list[str]] = {}
    for point_id, item_id in Offer.objects.order_by("item_id").values_list("point_id", "item_id"):
        offers.setdefault(point_id, []).append(item_id)
    return [
        {
            "code": terminal.code,
            "point": terminal.point.code,
            "operator": terminal.point.operator.code,
            "items": offers.get(terminal.point_id, []),
            "attended": terminal.attended,
            "pairing_code": catalogue.make_pairing_code(ACTOR, terminal.code),
        }
        for terminal in Terminal.objects.exclude(point__code=nantong.SANDBOX)
        .select_related("point__operator")
        .order_by("code")
    ]


def _residents(url_owner: str, seed: int) -> dict[str, list[dict[str, object]]]:
    """Phones, chips and stale codes, each of other people. Some of them are inside somewhere already."""
    taken = sandbox.holders_taken()
    share = max(SMALLEST, min(1.0, rows("SELECT count(*) FROM cards_standing")[0][0] / CITY))
    phones = [
        (group.kind, each) for group in GROUPS for each in _pick(group, group.phones * share, "phone", taken, seed)
    ]
    cards = [(group.kind, each) for group in GROUPS for each in _pick(group, group.chips * share, "chip", taken, seed)]
    stale = list(_pick(Group("stale", 5, 0, _RIDES), 5, "phone", taken, seed))
    root = keys.load("cards").derive("chip")
    rng = random.Random(f"onecard-guests-{seed}")  # noqa: S311 - invented people, no secret
    inside = guests.admit(url_owner, [each.card_id for _, each in (*phones, *cards)], rng)
    phones, cards = ([(kind, _inside(each, inside)) for kind, each in people] for people in (phones, cards))
    known = _Known.of([each for _, each in (*phones, *cards)])
    return {
        "phones": [{**known.by(kind, each), "token": _enrol(each)} for kind, each in phones],
        "chips": [{**known.by(kind, each), **_chip(root, each)} for kind, each in cards],
        "stale_codes": _stale_codes(stale),
    }


def _pick(group: Group, count: float, medium: str, taken: list[int], seed: int) -> list[Picked]:
    """Some residents of a group, nobody twice. Small cities have few of some kinds."""
    statement = PICK.format(
        free=_FREE, condition=group.condition, medium="s.ecard_serial IS NOT NULL" if medium == "phone" else "true"
    )
    found = [Picked(*row) for row in rows(statement, clock.today(), taken, str(seed), math.ceil(count))]
    unique = list({each.holder_id: each for each in found}.values())
    taken += [each.holder_id for each in unique]
    return unique


def _inside(each: Picked, balances: Mapping[int, int]) -> Picked:
    """With what the purse may spend while it holds the most a visit can cost."""
    return each._replace(balance_fen=balances.get(each.card_id, each.balance_fen))


class _Known(NamedTuple):
    """What residents remember beside what their cards say: by holder, and the last two by card."""

    used: Mapping[int, Any]
    passes: Mapping[int, Any]
    orders: Mapping[int, Any]
    journeys: Mapping[int, Any]
    rides: Mapping[int, Any]

    @classmethod
    def of(cls, people: Sequence[Picked]) -> "_Known":
        holders, cards = [each.holder_id for each in people], [each.card_id for each in people]
        return cls(
            _told(QUOTAS, holders, clock.today()), _told(PASSES, holders), _told(ORDERS, holders),
            _told(JOURNEYS, cards), _told(RIDES, cards),
        )  # fmt: skip

    def by(self, kind: str, each: Picked) -> dict[str, object]:
        """What a resident knows. Amounts in fen; no purse is null."""
        return {
            "kind": kind,
            "place": each.place,
            "card_state": each.card_state,
            "functions": {
                "social_security": each.social_security,
                "financial": each.financial,
                "transit": each.transit,
            },
            "classes": json.loads(each.classes),
            "balance_fen": each.balance_fen,
            "room_fen": each.room_fen,
            "account": each.account,
            "used": self.used.get(each.holder_id, []),
            "passes": self.passes.get(each.holder_id, []),
            "orders": self.orders.get(each.holder_id, {}),
            "journeys": self.journeys.get(each.card_id, []),
            "rides": self.rides.get(each.card_id, []),
        }


def _told(statement: str, *params: object) -> dict[int, Any]:
    """What a statement says by key, out of JSON."""
    return {key: json.loads(text) for key, text in rows(statement, *params)}


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
    codes: list[dict[str, object]] = []
    for each in chosen:
        assert each.serial is not None
        codes += [dict(window) for window in issue(each.serial, each.classes, 1, then, signing)]
    return codes


def _issuer_keys() -> IssuerKeys:
    fields = ("id", "kid", "suite", "public", "private_sealed", "sign_from", "sign_to", "withdrawn_at",
              "purpose")  # fmt: skip
    found: list[dict[str, Any]] = list(Key.objects.values(*fields))
    later = [(key.pk, key.from_day, bytes(key.key_sealed)) for key in RefKey.objects.order_by("from_day")]

    async def fetch() -> Sequence[Mapping[str, object]]:
        return found

    async def fetch_refs() -> list[tuple[int, dt.date, bytes]]:
        return later

    signing = IssuerKeys(node.code(), keys.load("codes"), fetch, fetch_refs)
    asyncio.run(signing.refresh())
    return signing
