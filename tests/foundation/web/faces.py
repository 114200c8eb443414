"""The two web processes inside the test process: a client under the very settings of one of them."""

import datetime as dt
import importlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from tests.kernel.cards.builders import a_card

import onecard.scenarios
from onecard.foundation import clock
from onecard.foundation.actors import system
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import risk_files, risks
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue import files, loading
from onecard.kernel.catalogue import models as catalogue_models
from onecard.kernel.catalogue.models import Point
from onecard.kernel.ecards.models import Ecard, Tie
from onecard.kernel.holders import actions as holders
from onecard.kernel.holders import rules
from onecard.kernel.holders.models import Holder
from onecard.kernel.partners.models import Party, PartyKind
from onecard.kernel.signins.models import Kind, User
from onecard.kernel.staff import actions as staff
from onecard.kernel.staff.models import Officer
from onecard_kit.verdicts import Verdict

ENTERED_IN_S = 3
PASSWORD = "wisteria-on-the-7th-gate"
# What belongs to a live process, not to its pages: the database of the tests, files collected at start, the keys.
OF_THE_PROCESS = {"DATABASES", "STATIC_ROOT", "STORAGES", "SECRET_KEY", "INSTALLED_APPS", "PACKAGE", "ALLOWED_HOSTS"}
SYSTEM = system("test")


@contextmanager
def face(process: str) -> Iterator[None]:
    """Run under the settings of ``public`` or ``staff``."""
    module = importlib.import_module(f"onecard.settings.{process}")
    names = {name for name in vars(module) if name.isupper()} - OF_THE_PROCESS
    with override_settings(**{name: getattr(module, name) for name in names}):
        yield


def a_registered_holder(*, sequence: int = 1, name: str = "张小明", place: str = "320600") -> Holder:
    """An invented person, sealed as real ones are."""
    return holders.register(SYSTEM, holders.Application(place, number_of(sequence), name, "15400000001"), demo=True)


def number_of(sequence: int) -> str:
    """The social-security number of an invented person."""
    first_17 = f"990601{dt.date(1950, 5, 1):%Y%m%d}{sequence:03d}"
    return first_17 + rules.check_character(first_17)


def a_resident(username: str = "zhang", *, sequence: int = 1, **card: Any) -> tuple[User, Card]:
    """A holder with a sign-in and one card."""
    holder = a_registered_holder(sequence=sequence)
    user = User.objects.create_user(username, PASSWORD, kind=Kind.HOLDER, holder_id=holder.pk)
    return user, a_card(holder=holder, **{"state": CardState.ACTIVE, **card})


def an_officer(username: str = "zhou", *roles: str, place: str = "3206") -> Officer:
    """A serving officer with roles in one place."""
    officer = staff.appoint(SYSTEM, username=username, password=PASSWORD, display_name="周敏", department="卡管科")
    for role in roles:
        staff.assign(SYSTEM, officer, role, place)
    return officer


def a_passkey(user: User, name: str = "Android · Chrome") -> int:
    """The row that adding one leaves; nothing signs with it. Its id."""
    data = {"name": name, "credential": {}}
    return int(Authenticator.objects.create(user=user, type="webauthn", data=data).pk)


def an_authenticator(user: User) -> str:
    """Set up a second factor as the page does; its secret."""
    secret: str = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return secret


def secret_on(page: str) -> str:
    """The secret that a page shows to be typed into an authenticator, in groups of four."""
    shown = page.split('class="mono secret">')[1].split("</p>")[0]
    return re.sub("<[^>]*>", "", shown)


def code_now(secret: str, entered_in_s: float = ENTERED_IN_S) -> str:
    """What an authenticator shows now; if that is about to change, what it shows next, as whoever types would wait."""
    if (left := totp.app_settings.TOTP_PERIOD - time.time() % totp.app_settings.TOTP_PERIOD) < entered_in_s:
        time.sleep(left)
    counter = list(totp.yield_hotp_counters_from_time())
    shown: str = totp.format_hotp_value(totp.hotp_value(secret, counter[len(counter) // 2]))
    return shown


def next_code_of(username: str) -> str:
    """What the officer's authenticator shows next, so that nobody waits half a minute between two commands: the codes
    they gave before are forgotten. Sets one up for who has none.
    """
    user = User.objects.get(username=username)
    known = Authenticator.objects.filter(user=user, type="totp").first()
    shown = code_now(totp.decrypt(known.data["secret"]) if known else an_authenticator(user))
    cache.delete(f"allauth.mfa.totp.used?user={user.pk}&code={shown}")
    return shown


def sign_in(client: Client, username: str, password: str = PASSWORD) -> Any:
    """Send the sign-in form."""
    return client.post(reverse("account_login"), {"login": username, "password": password})


def a_resident_client(user: User) -> Client:
    """A client with the resident's session, opened through the form."""
    client = Client()
    assert sign_in(client, user.username).status_code == 302
    return client


def a_staff_client(officer: Officer) -> Client:
    """A client with the officer's session, both factors shown."""
    client = Client()
    known = Authenticator.objects.filter(user=officer.user, type="totp").first()
    secret = totp.decrypt(known.data["secret"]) if known else an_authenticator(officer.user)
    sign_in(client, officer.user.username)
    response = client.post("/sign-in/code/", {"code": code_now(secret)})
    assert response.status_code == 302, response.content.decode()
    return client


def the_catalogue() -> Point:
    """The items the product ships, and one bus stop that offers the bus."""
    folder = Path(onecard.scenarios.__file__).parent
    loading.load(SYSTEM, files.read(folder), publish=True)
    party = Party.objects.create(
        code="nt-bus", kind=PartyKind.OPERATOR, name_zh="公交公司", name_en="Bus company", division="320600"
    )
    client = catalogue_models.Client.objects.create(code="nt-bus", party=party, name_zh="公交", name_en="Bus")
    stop = Point.objects.create(
        code="nt-bus-1",
        client=client,
        operator=party,
        name_zh="1路 虚构广场站",
        name_en="Bus 1, Invented Square",
        division="320602",
        hours=[{"days": ["working"], "hours": [["05:30", "22:00"]]}],
        demonstration=True,
    )
    catalogue.offer(SYSTEM, stop.code, "transit.bus_ride")
    return stop


def _milliseconds() -> Iterator[int]:
    """The present again and again, and never the same twice."""
    last = 0
    while True:
        last = max(last + 1, time.time_ns() // 1_000_000)
        yield last


_MOMENTS = _milliseconds()


def a_use(card: Card, point: Point, verdict: Verdict, *, paid_fen: int = 0, concession: str | None = None) -> UUID:
    """A recorded bus ride of now; its id, which comes after that of the one before: pages go by ids."""
    id_ = uuid7(next(_MOMENTS))
    version = catalogue_models.ItemVersion.objects.get(item_id="transit.bus_ride")
    rows(
        "INSERT INTO uses_use (id, at, terminal_id, point_id, item, item_version_id, card_id, medium, verdict,"
        " full_fen, paid_fen, concession)"
        " VALUES ($1, now(), 1, $2, 'transit.bus_ride', $3, $4, 'code', $5, 200, $6, $7)",
        id_,
        point.pk,
        version.pk,
        card.pk,
        verdict.value,
        paid_fen,
        concession,
    )
    return id_


def a_tie(ecard: Ecard, holder_id: int, kind: str = "parent") -> int:
    """That a relative shows an e-card, as both agreed; its id."""
    now = clock.now()
    made = Tie.objects.create(ecard=ecard, holder_id=holder_id, kind=kind, offered_at=now, agreed_at=now)
    return int(made.pk)


def a_risk(kind: str, subject: str, *uses: UUID, place: str = "320602", **detail: object) -> int:
    """A risk fact of a kind that the product ships, about some uses; its id."""
    risks.declare(SYSTEM, risk_files.read(Path(onecard.scenarios.__file__).parent))
    audit.risk(kind, subject, {"place": place, "uses": [str(each) for each in uses], **detail})
    made: int = rows("SELECT max(id) FROM audit_risk_fact")[0][0]
    return made
