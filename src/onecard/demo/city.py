"""The demo city, loaded into a migrated database: Nantong's parties and points, and synthetic people with their cards.

Each step is one transaction that ends with a fact of its own (``demo.load`` about ``city:<step>``). A step that has its
fact is not done again; one that was killed has left nothing and starts anew. The same seed and day give the same city.
"""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.db import connection, transaction

from onecard import scenarios
from onecard.demo import clients, nantong, owner, residents, running, sandbox, signins
from onecard.demo.plan import ACTOR, Plan, Progress
from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import risk_files, risks
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue import files, loading
from onecard.kernel.catalogue import queries as catalogue_reads
from onecard.kernel.catalogue.models import Client, Point, Terminal
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import queries as ecards_reads
from onecard.kernel.ecards.models import Key
from onecard.kernel.partners.models import Party
from onecard_kit.suites import Purpose

VERB = "demo.load"
# One loader at a time; the number is ours alone.
LOCK = "SELECT pg_advisory_xact_lock(21069, 320600)"
DONE = "SELECT 1 FROM audit_fact WHERE subject = $1 AND verb = $2"
LOADED = (
    "holders_holder", "holders_certificate", "holders_class", "cards_card", "cards_function", "cards_account",
    "cards_standing", "ecards_ecard", "ledger_account", "ledger_balance", "ledger_transfer",
)  # fmt: skip


class Step(NamedTuple):
    """One step: its name in the fact, what people read while it runs, the function that does it."""

    name: str
    zh: str
    en: str
    do: Callable[[Plan], dict[str, int]]


def load(
    url_owner: str,
    holders: int,
    seed: int,
    progress: Progress,
    *,
    passwords: Path | None = None,
    today: dt.date | None = None,
) -> None:
    """Load what is missing of the city into the database that `url_owner` names as its owner.

    `holders` and `seed` count where there are no people yet. With `passwords`, a file of mode 600 that is made if it is
    missing, staff and some residents can sign in.
    """
    with owner.connected(url_owner):
        plan = Plan(holders, seed, today or clock.today(), progress)
        # What the files say anew later is a draft, as anywhere: officers publish it.
        loading.load(ACTOR, files.read(scenarios.FOLDER), publish=not catalogue_reads.was_set_up())
        risks.declare(ACTOR, risk_files.read(scenarios.FOLDER))
        fresh = [step.name for step in STEPS if _once(step, plan)]
        if passwords is not None:
            signins.make(passwords)
            clients.make(passwords.with_name(running.CLIENTS), os.environ.get(running.RECEIVER_URL, ""))
            if gateway := os.environ.get(running.GATEWAY_URL):
                sandbox.make(passwords.with_name(running.SANDBOX), gateway)
        if fresh:
            _tell_the_planner()


def _once(step: Step, plan: Plan) -> bool:
    """Do a step unless its fact stands; whether it was done now."""
    with transaction.atomic():
        rows(LOCK)
        if _is_done(step):
            return False
        plan.progress(step.zh, step.en)
        counted = step.do(plan)
        audit.record(ACTOR, VERB, f"city:{step.name}", place=nantong.PLACE, detail={**counted, "seed": plan.seed})
    return True


def _is_done(step: Step) -> bool:
    return bool(rows(DONE, f"city:{step.name}", VERB))


def _tell_the_planner() -> None:
    """Fresh statistics, and pages without the versions that loading left behind."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(LOADED)}")


# --- Places -----------------------------------------------------------------------------------------------------------


def found(plan: Plan) -> dict[str, int]:
    """Parties, their accounts and systems, points, offers, terminals."""
    parties = {row.code: _party(row) for row in nantong.PARTIES}
    for account in nantong.ACCOUNTS:
        party = f"party:{parties[account.party].pk}"
        rows("SELECT ledger_open(ARRAY[$1], $2, $3, false, NULL)", party, account.role, account.ledger)
    clients = {code: _client(parties[code]) for code in nantong.CLIENTS}
    terminals = [made for row in nantong.POINTS for made in _point(row, clients[row.party], parties)]
    return {"parties": len(parties), "points": len(nantong.POINTS), "terminals": len(terminals)}


def _party(row: nantong.PartyRow) -> Party:
    values = {"kind": row.kind, "name_zh": row.name_zh, "name_en": row.name_en, "division": nantong.PLACE}
    return Party.objects.get_or_create(code=row.code, defaults=values)[0]


def _client(party: Party) -> Client:
    values = {"party": party, "name_zh": party.name_zh, "name_en": party.name_en}
    return Client.objects.get_or_create(code=party.code, defaults=values)[0]


def _point(row: nantong.PointRow, client: Client, parties: Mapping[str, Party]) -> list[Terminal]:
    """A point, its terminals, and what it offers: refused like any offer where the point lacks something."""
    point = Point.objects.create(
        code=row.code,
        client=client,
        operator=parties[row.party],
        sponsor=parties.get(row.sponsor),
        name_zh=row.name_zh,
        name_en=row.name_en,
        division=row.division,
        hours=msgspec.to_builtins(row.hours),
        media=list(row.media),
        demonstration=row.demonstration,
        latitude_deg=row.position[0] if row.position else None,
        longitude_deg=row.position[1] if row.position else None,
    )
    terminals = Terminal.objects.bulk_create(
        Terminal(code=code, point=point, attended=attended) for code, attended in row.terminals()
    )
    counts = dict(row.capacities)
    for item in row.items:
        catalogue.offer(ACTOR, row.code, item, capacity_count=counts.get(item))
    return terminals


def make_key(plan: Plan) -> dict[str, int]:
    """An issuer key for each purpose, where none signs yet."""
    for purpose in Purpose:
        if ecards_reads.signing_key(purpose) is None:
            ecards.rotate_issuer_key(ACTOR, purpose)
    return {"keys": Key.objects.count()}


STEPS = (
    Step("places", "登记合作单位、用卡点与终端", "Registering parties, points and terminals", found),
    Step("issuer_key", "生成签发密钥", "Making the issuer's key", make_key),
    Step("people", "载入虚构的持卡人", "Loading synthetic holders", residents.load_people),
    Step("cards", "载入社会保障卡与卡况", "Loading cards and their standing", residents.load_cards),
    Step("ecards", "签发电子社保卡", "Signing up e-cards", residents.load_ecards),
    Step("purses", "开通钱包并记入首次充值", "Opening purses with their first top-up", residents.load_purses),
)
