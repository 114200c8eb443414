"""A few people for live pages, committed to ONECARD_DATABASE_URL; prints what a browser needs to know as JSON.

python -m tests.foundation.web.city
"""

import json

import django


def main() -> None:
    django.setup()
    from tests.foundation.web.faces import (
        PASSWORD,
        SYSTEM,
        a_resident,
        a_risk,
        a_use,
        an_authenticator,
        an_officer,
        the_catalogue,
    )

    from onecard.foundation.ids import uuid7
    from onecard.kernel.cards.rules import CardState
    from onecard.kernel.catalogue.models import Terminal
    from onecard.kernel.ecards import actions as ecards
    from onecard.kernel.ledger import actions as ledger
    from onecard.kernel.ledger.rules import Ledger, Transfer
    from onecard.kernel.uses import figures
    from onecard_kit.verdicts import Verdict

    _, card = a_resident("zhang")
    ecards.rotate_issuer_key(SYSTEM)
    ecards.sign_up(SYSTEM, card.pk)
    stop = the_catalogue()
    gate = Terminal.objects.create(code="NT-BUS-L01", point=stop)
    ride = a_use(card, stop, Verdict.ADMITTED, paid_fen=190)
    a_use(card, stop, Verdict.ADMITTED, paid_fen=0, concession="senior_70")
    a_use(card, stop, Verdict.FUNDS_SHORT)
    _, lost = a_resident("li", sequence=2, state=CardState.TEMP_LOST)
    a_resident("wang", sequence=3)
    roles = ("card_officer", "auditor", "risk_officer", "finance_officer", "administrator")
    officers = {name: an_officer(name, *roles) for name in ("zhou", "sun", "wu")}
    risk = a_risk("two_places", f"card:{card.pk}", ride, km=138, seconds=60)
    a_risk("number_misses_city", "city:320600", place="320600", count=30)
    secrets = {name: an_authenticator(officers[name].user) for name in ("zhou", "sun")}  # wu has yet to set up
    accounts = [
        *ledger.open_accounts([f"party:{stop.operator_id}"], "treasury.city", Ledger.TREASURY, limited=False),
        *ledger.open_accounts([f"party:{stop.operator_id}"], "operator.receivable", Ledger.TREASURY, limited=False),
    ]
    treasury, operator = accounts
    ledger.post([Transfer(uuid7(), treasury, operator, 200, "concession", reference=ride)])
    figures.count()
    told = {"password": PASSWORD, "card": card.pk, "number": card.number, "lost": lost.pk, "secrets": secrets}
    told |= {
        "risk": risk,
        "holder": card.holder_id,
        "use": str(ride),
        "point": stop.pk,
        "terminal": gate.pk,
        "account": accounts[0],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
