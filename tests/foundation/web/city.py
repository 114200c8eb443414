"""A few people for live pages, committed to ONECARD_DATABASE_URL; prints what a browser needs to know as JSON.

python -m tests.foundation.web.city
"""

import json

import django


def main() -> None:
    django.setup()
    from tests.foundation.web.faces import PASSWORD, a_resident, an_authenticator, an_officer

    from onecard.kernel.cards.rules import CardState

    _, card = a_resident("zhang")
    _, lost = a_resident("li", sequence=2, state=CardState.TEMP_LOST)
    a_resident("wang", sequence=3)
    officers = {name: an_officer(name, "clerk", "auditor") for name in ("zhou", "sun", "wu")}
    secrets = {name: an_authenticator(officers[name].user) for name in ("zhou", "sun")}  # wu has yet to set up
    told = {"password": PASSWORD, "card": card.pk, "number": card.number, "lost": lost.pk, "secrets": secrets}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
