"""Clients with whom something is agreed."""

import datetime as dt
from typing import Any

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.kernel.catalogue.models import Client, LegalBasis
from onecard.kernel.partners.models import Party, PartyKind
from onecard.kernel.sharing import actions
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.sharing.scopes import Scope

SYSTEM = system("test")
BASIS = "test-1"


def a_client(code: str = "NT-TEST") -> Client:
    """A client's system of a department."""
    a_basis()
    known = {"kind": PartyKind.DEPARTMENT, "name_zh": code, "name_en": code, "division": "320600"}
    party, _ = Party.objects.get_or_create(code=code, defaults=known)
    return Client.objects.create(code=code, party=party, name_zh=code, name_en=code)


def a_basis() -> LegalBasis:
    """An article that agreements point to."""
    said = {"issuer_zh": "省", "issuer_en": "Province", "title_zh": "规定", "title_en": "Rules", "article": "1",
            "text_zh": "…", "text_en": "…", "repeals": ""}  # fmt: skip
    return LegalBasis.objects.get_or_create(code=BASIS, defaults=said)[0]


def agree(client_code: str, *scopes: Scope, days: int = 90, actor: Actor = SYSTEM, **more: Any) -> list[Agreement]:
    """Agree on scopes with a client."""
    ends_on = clock.today() + dt.timedelta(days=days)
    said = {"purpose_zh": "测试", "purpose_en": "A test", "basis": BASIS, "ends_on": ends_on, **more}
    return [actions.agree(actor, client_code, scope, **said) for scope in scopes]
