"""The page on losing a key (docs/key-loss.md), step by step: its commands, in its order, on a running city."""

import hashlib
import re
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.architecture.repository import ROOT, text_of
from tests.foundation.web.faces import PASSWORD, an_authenticator, an_officer, code_now
from tests.gateway.process import GatewayProcess, send, verdict
from tests.small_city import SmallCity, Terminal

from onecard.check.running import django_at
from onecard.foundation.actors import Actor
from onecard.kernel.ecards import actions, lasting
from onecard.kernel.staff import roles
from onecard_kit.suites import Purpose

pytestmark = pytest.mark.processes
PAGE = ROOT / "docs" / "key-loss.md"
ENTRY = "culture.library_entry"
CLERK = Actor("staff:7", frozenset({"*"}))
OFFICERS = ("zhou", "qian")
STARTED_IN_S = 15.0
Environment = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[SmallCity]:
    """With keys of both purposes, and another of each that stands by."""
    made = SmallCity(fresh_database["owner"])
    with django_db_blocker.unblock(), django_at(fresh_database["owner"]):
        for purpose in Purpose:
            actions.rotate_issuer_key(CLERK, purpose)
        roles.load()
        yield made
    made.connection.close()


@pytest.fixture(scope="module")
def authenticators(city: SmallCity) -> list[str]:
    """The two administrators' secrets."""
    return [an_authenticator(an_officer(name, "administrator", place="").user) for name in OFFICERS]


def commands() -> list[str]:
    """What the page tells to run, a line each."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(PAGE), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


class Hands:
    """Whoever follows the page: types its commands with the names of this city."""

    def __init__(
        self, city: SmallCity, gateway: GatewayProcess, secrets: list[str], environment: dict[str, str]
    ) -> None:
        self.city, self.gateway, self.secrets = city, gateway, secrets
        self.environment = environment | {"LC_ALL": "en_US.UTF-8"}
        self.lost: dict[Purpose, str] = {}

    def signs(self, purpose: Purpose) -> str:
        kid: bytes = self.city.one(
            "SELECT kid FROM ecards_key WHERE purpose = $1 AND sign_from IS NOT NULL AND sign_to IS NULL", purpose.value
        )
        return bytes(kid).hex()

    def typed(self, command: str) -> str:
        """What each of the two officers types when asked: password and code, good until the process has started."""
        if "--officer" not in command:
            return ""
        return "".join(f"{PASSWORD}\n{code_now(secret, STARTED_IN_S)}\n" for secret in self.secrets)

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the page; the names in it stand for what is lost now."""
        for name, purpose in (("LASTING_KID", Purpose.LASTING), ("KID", Purpose.CODES)):
            if name in command.split():
                self.lost.setdefault(purpose, self.signs(purpose))
                command = command.replace(name, self.lost[purpose])
        command = command.replace("FIRST", OFFICERS[0]).replace("SECOND", OFFICERS[1])
        command = command.replace("http://localhost:8802", self.gateway.url)
        words = shlex.split(command)
        assert words[0] == "./onecard", command
        return subprocess.run(
            [sys.executable, "-m", "onecard", *words[1:]], env=self.environment, input=self.typed(command),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture(scope="module")
def hands(
    city: SmallCity,
    gateway: GatewayProcess,
    authenticators: list[str],
    environment_for: Environment,
    fresh_database: dict[str, str],
) -> Hands:
    return Hands(city, gateway, authenticators, environment_for(fresh_database["owner"]))


def a_desk(city: SmallCity) -> Terminal:
    desk = city.a_terminal(ENTRY)
    city.run("UPDATE catalogue_terminal SET attended = true WHERE id = $1", desk.id)
    return desk


def fetched(http: httpx.Client, token: str) -> str:
    answer = http.post("/v1/codes", json={}, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["windows"][0]["code"]
    return code


def shown(http: httpx.Client, desk: Terminal, code: str) -> str:
    return verdict(send(http, desk, {"item": ENTRY, "code": code}))


def test_the_page_step_by_step(city: SmallCity, hands: Hands, http: httpx.Client) -> None:
    phone_card, elder, token = city.a_card(), city.a_card(), secrets.token_urlsafe(16)
    city.enrol(phone_card, hashlib.sha256(token.encode()).digest())
    city.enrol(elder, secrets.token_bytes(32))
    city.run("UPDATE cards_card SET state = 'active' WHERE id = $1", elder.id)
    paper = lasting.issue_paper_code(CLERK, elder.serial)
    lasting.write_card_file(CLERK, elder.id)
    desk, steps = a_desk(city), iter(commands())

    for purpose in ("codes", "lasting"):
        drill = next(steps)
        assert purpose == "codes" or purpose in drill
        before = hands.signs(Purpose(purpose))
        done = hands.type(drill)
        assert (done.returncode, done.stderr.count("✓"), done.stderr.count("✗")) == (0, 7, 0), done.stderr
        assert hands.signs(Purpose(purpose)) == before
    in_hand = fetched(http, token)
    assert (shown(http, desk, in_hand), shown(http, desk, paper)) == ("ADMITTED", "ADMITTED")

    carried = fetched(http, token)
    done = hands.type(next(steps))
    assert done.returncode == 0, done.stderr
    assert "the codes of at most 1 phones, 0 paper codes, 0 card files" in done.stderr
    assert "11 status lists are made anew" in done.stderr
    assert shown(http, desk, carried) == "KEY_UNKNOWN"
    assert shown(http, desk, paper) == "ADMITTED"  # it is under the other key
    deadline = time.monotonic() + 30
    while (came_to := shown(http, desk, fetched(http, token))) == "KEY_UNKNOWN":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert came_to == "ADMITTED"

    two_officers = next(steps)
    alone = hands.type(two_officers.partition(" --officer")[0])
    assert (alone.returncode, "OFFICER_NEEDED" in alone.stderr) == (2, True)
    done = hands.type(two_officers)
    assert done.returncode == 0, done.stderr
    assert "0 phones, 1 paper codes, 1 card files" in done.stderr
    assert shown(http, desk, paper) == "KEY_UNKNOWN"

    checked = hands.type(next(steps))
    assert "✓ LISTS" in checked.stdout, checked.stdout
    told = http.get("/v1/keys").json()
    assert hands.lost[Purpose.CODES] not in {key["kid"] for key in told["keys"]}

    listed = hands.type(next(steps))
    serial = city.one("SELECT serial FROM ecards_paper_code WHERE ecard_id = $1", elder.serial)
    assert listed.stdout.splitlines() == [f"paper_code:{serial} card:{elder.id}", f"card_file card:{elder.id}"]
    again = lasting.issue_paper_code(CLERK, elder.serial)
    assert shown(http, desk, again) == "ADMITTED"
    assert list(steps) == []


def test_a_wrong_id_lists_those_there_are(hands: Hands) -> None:
    """As step 2 says."""
    done = hands.type('./onecard keys withdraw-issuer ffff "a typing mistake"')
    assert done.returncode == 2
    assert hands.signs(Purpose.CODES) in done.stderr
