"""A few people for live pages, committed to ONECARD_DATABASE_URL; prints what a browser needs to know as JSON.

python -m tests.foundation.web.city [SANDBOX_FILE GATEWAY]
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import django


def settle() -> dict[str, Any]:
    """Make them, as the owner; what pages are about, under the names of `tests/pages/addresses.py`."""
    from tests.foundation.web.faces import (
        PASSWORD,
        SYSTEM,
        a_passkey,
        a_resident,
        a_risk,
        a_tie,
        a_use,
        an_authenticator,
        an_officer,
        the_catalogue,
    )

    from onecard.kernel.audit import actions as audit
    from onecard.kernel.audit import exports as facts
    from onecard.kernel.audit import trail, verification
    from onecard.kernel.cards.rules import CardState
    from onecard.kernel.catalogue.models import Terminal
    from onecard.kernel.ecards import actions as ecards
    from onecard.kernel.holders import queries as holders
    from onecard.kernel.staff import actions as staff
    from onecard.kernel.staff.queries import actor_of
    from onecard.kernel.staff.roles import ROLES
    from onecard.kernel.uses import exports, figures
    from onecard.kernel.uses.listing import Wanted
    from onecard_kit.verdicts import Verdict

    zhang, card = a_resident("zhang")
    ecards.rotate_issuer_key(SYSTEM)
    ecards.sign_up(SYSTEM, card.pk)
    stop = the_catalogue()
    gate = Terminal.objects.create(code="NT-BUS-L01", point=stop)
    ride = a_use(card, stop, Verdict.ADMITTED, paid_fen=190)
    a_use(card, stop, Verdict.ADMITTED, paid_fen=0, concession="senior_70")
    refused = a_use(card, stop, Verdict.FUNDS_SHORT)
    li, lost = a_resident("li", sequence=2, state=CardState.TEMP_LOST)
    others = {"card": lost.pk, "use": str(a_use(lost, stop, Verdict.ADMITTED, paid_fen=190)), "holder": lost.holder_id}
    others["passkey"] = a_passkey(li)
    others["refused_use"] = str(a_use(lost, stop, Verdict.CARD_LOST))
    a_resident("wang", sequence=3)
    _, chens = a_resident("chen", sequence=4)
    shows = ecards.sign_up(SYSTEM, chens.pk)  # chen's code is shown by zhang, and by li
    tie, others["tie"] = (a_tie(shows, each.holder_id) for each in (card, lost))
    officers = {name: an_officer(name, *(role.code for role in ROLES), place="") for name in ("zhou", "sun", "wu")}
    risk = a_risk("two_places", f"card:{card.pk}", ride, km=138, seconds=60)
    a_risk("number_misses_city", "city:320600", place="320600", count=30)
    secrets = {name: an_authenticator(officers[name].user) for name in ("zhou", "sun")}  # wu has yet to set up
    zhou = actor_of(officers["zhou"].user)
    passkey = a_passkey(officers["zhou"].user, "Windows · Edge")
    holders.reveal(zhou, card.holder_id, ["phone"], "核对领卡人")
    told = {"password": PASSWORD, "number": card.number, "secrets": secrets, "lost": lost.pk, "others": others}
    told |= {"card": card.pk, "holder": card.holder_id, "use": str(ride), "refused_use": str(refused), "risk": risk}
    told |= {"tie": tie}
    told |= {"point": stop.pk, "terminal": gate.pk, "account": _money(card.holder_id, stop.operator_id, ride)}
    told |= _sharing(stop.client)
    staff.assign(SYSTEM, officers["zhou"], "administrator", "")  # what is the whole node's takes a role for all of it
    told |= {"officer": officers["wu"].pk, "verification": str(verification.ask(SYSTEM))}
    told |= {"audit_export": str(facts.ask(zhou, ["3206"], trail.Wanted()))}
    told |= {"export": str(exports.ask(zhou, ["3206"], Wanted(), "zh"))}
    told |= {"passkey": a_passkey(zhang), "staff_passkey": passkey}
    figures.count()
    audit.seal()
    audit.anchor()
    return told


def _sharing(client: Any) -> dict[str, Any]:
    """Something agreed with a client, a credential, an endpoint that does not answer, and two that it asks for."""
    from tests.foundation.web.faces import SYSTEM

    from onecard.foundation import clock
    from onecard.kernel.catalogue.models import LegalBasis
    from onecard.kernel.messages import outbox
    from onecard.kernel.messages.kinds import Kind
    from onecard.kernel.messages.models import Delivery
    from onecard.kernel.sharing import actions, endpoints
    from onecard.kernel.sharing.models import EndpointRequest

    until, basis = clock.today() + dt.timedelta(days=90), LegalBasis.objects.order_by("pk")[0].pk
    said: dict[str, Any] = {"purpose_zh": "终端运维", "purpose_en": "Running them", "basis": basis, "ends_on": until}
    for scope in ("messages.manage", "terminals.read"):
        actions.agree(SYSTEM, client.code, scope, **said)
    credential, _secret = actions.give_credential(SYSTEM, client.code)
    kinds = [Kind.TERMINAL_SUSPENDED.value, Kind.POINT_SUSPENDED.value]
    endpoint, _key = endpoints.add(SYSTEM, client.code, "https://bus.example/onecard", kinds)
    outbox.tell(f"client:{client.code}", Kind.TERMINAL_SUSPENDED, "terminal:NT-BUS-L01", {})
    Delivery.objects.filter(endpoint=endpoint).update(tries=3, tried_at=clock.now(), last_error="503")
    asked = [
        EndpointRequest.objects.create(client=client, url=url, kinds=wanted)
        for url, wanted in (
            ("https://bus.example/onecard", [kinds[0], Kind.CARD_CHANGED.value]),
            ("https://elsewhere.example/onecard", kinds),
        )
    ]
    found = {"client": client.pk, "credential": credential, "endpoint": endpoint.pk}
    return found | {"endpoint_request": asked[0].pk, "other_request": asked[1].pk}


def _money(holder_id: int, operator_id: int, ride: UUID) -> int:
    """A purse with something in it, and a ride of which the city bore a part; the account that paid it."""
    from tests.foundation.web.faces import SYSTEM

    from onecard.foundation.ids import uuid7
    from onecard.kernel.cards import actions as cards
    from onecard.kernel.ledger import actions as ledger
    from onecard.kernel.ledger.rules import Ledger, Transfer

    party = [f"party:{operator_id}"]
    [bank] = ledger.open_accounts(party, "bank.clearing", Ledger.PURSE, limited=False)
    [treasury] = ledger.open_accounts(party, "treasury.city", Ledger.TREASURY, limited=False)
    [operator] = ledger.open_accounts(party, "operator.receivable", Ledger.TREASURY, limited=False)
    ledger.open_accounts(party, "operator.receivable", Ledger.PURSE, limited=False)
    purse = cards.open_purse(SYSTEM, holder_id)
    paid = [Transfer(uuid7(), bank, purse, 5_000, "opening")]
    paid.append(Transfer(uuid7(), treasury, operator, 200, "concession", reference=ride))
    assert ledger.post(paid) == {}
    return treasury


def lend(path: Path, gateway: str) -> None:
    """Write a sandbox's file as the demo does."""
    from tests.foundation.web.faces import SYSTEM

    from onecard.demo import nantong, sandbox
    from onecard.kernel.catalogue import actions as catalogue
    from onecard.kernel.catalogue.models import Point, Terminal

    stop = Point.objects.get(code="nt-bus-1")
    point = Point.objects.create(
        code=nantong.SANDBOX, client=stop.client, operator=stop.operator, name_zh="接入测试点", name_en="Test point",
        division="320602", demonstration=True,
    )  # fmt: skip
    for item in nantong.TRIED:
        catalogue.offer(SYSTEM, point.code, item)
    for number in (1, 2):
        Terminal.objects.create(code=f"NT-DEV-1-{number}", point=point)
    sandbox.make(path, gateway)


def main() -> None:
    django.setup()
    told = settle()
    if sys.argv[1:]:
        lend(Path(sys.argv[1]), sys.argv[2])
    print(json.dumps(told))


if __name__ == "__main__":
    main()
