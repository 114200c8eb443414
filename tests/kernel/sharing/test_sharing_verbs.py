"""Agreements and credentials: who may give them, how long they last, what is kept of them."""

import datetime as dt
from collections.abc import Callable, Iterator

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.kernel.sharing.builders import BASIS, SYSTEM, a_client, agree

from onecard import cli
from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.sharing import actions, credentials, queries
from onecard.kernel.sharing.models import Agreement, Credential
from onecard.kernel.sharing.oauth import AgreedScopes
from onecard.kernel.sharing.scopes import SCOPES, Scope

NT = "NT-TEST"
DAY = dt.timedelta(days=1)


def agreed() -> dict[str, tuple[dt.date, dt.date, int]]:
    """What holds today with the client of these tests."""
    found = Agreement.in_force(clock.today()).filter(client__code=NT)
    return {each.scope: (each.starts_on, each.ends_on, each.per_minute) for each in found}


def verbs() -> list[str]:
    return [fact.verb for fact in reversed(audit.facts_about(f"client:{NT}"))]


def test_every_scope_has_its_words_and_an_allowance() -> None:
    assert set(SCOPES) == set(Scope)
    assert all(said.zh and said.en and said.per_minute > 0 for said in SCOPES.values())


@pytest.mark.django_db
def test_an_agreement_holds_from_today_and_is_what_a_token_may_ask_for() -> None:
    a_client(NT)
    agree(NT, Scope.CARDS, days=30)
    today = clock.today()
    assert agreed() == {"cards.read": (today, today + 30 * DAY, SCOPES[Scope.CARDS].per_minute)}
    credential_id, _ = actions.give_credential(SYSTEM, NT)
    credential = Credential.objects.get(client_id=credential_id)
    assert AgreedScopes().get_default_scopes(credential) == ["cards.read"]
    assert AgreedScopes().get_available_scopes() == []


@pytest.mark.django_db
def test_agreeing_anew_takes_the_place_of_what_was_agreed() -> None:
    a_client(NT)
    [first] = agree(NT, Scope.CARDS, days=30)
    assert agree(NT, Scope.CARDS, days=30) == [first]
    Agreement.objects.update(starts_on=clock.today() - 5 * DAY)
    agree(NT, Scope.CARDS, days=60, per_minute=7)
    today = clock.today()
    assert agreed() == {"cards.read": (today, today + 60 * DAY, 7)}
    assert Agreement.objects.count() == 2
    agree(NT, Scope.CARDS, days=60, per_minute=8)
    assert agreed()["cards.read"][2] == 8
    assert verbs() == ["sharing.agree"] * 3


@pytest.mark.django_db
def test_an_agreement_ends_at_once_and_again_changes_nothing() -> None:
    a_client(NT)
    agree(NT, Scope.CARDS, Scope.USES)
    for _ in range(2):
        actions.end_agreement(SYSTEM, NT, Scope.CARDS, "no longer needed")
    assert set(agreed()) == {"uses.read"}
    assert verbs() == ["sharing.agree", "sharing.agree", "sharing.end_agreement"]
    agree(NT, Scope.CARDS)
    assert set(agreed()) == {"uses.read", "cards.read"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"purpose_zh": " "}, "PURPOSE_MISSING"),
        ({"purpose_en": ""}, "PURPOSE_MISSING"),
        ({"days": 0}, "AGREEMENT_TOO_LONG"),
        ({"days": 1_200}, "AGREEMENT_TOO_LONG"),
        ({"basis": "nowhere-1"}, "LEGAL_BASIS_UNKNOWN"),
        ({"per_minute": 0}, "ALLOWANCE_OUT_OF_RANGE"),
        ({"per_minute": 60_001}, "ALLOWANCE_OUT_OF_RANGE"),
    ],
)
def test_what_is_no_agreement_is_refused(more: dict[str, object], code: str) -> None:
    a_client(NT)
    with pytest.raises((BadInput, NotFound), match=code):
        agree(NT, Scope.CARDS, **more)  # type: ignore[arg-type]
    assert agreed() == {}


@pytest.mark.django_db
def test_what_is_not_there_is_said() -> None:
    a_client(NT)
    for refused, do in (
        ("CLIENT_UNKNOWN", lambda: agree("NOBODY", Scope.CARDS)),
        ("SCOPE_UNKNOWN", lambda: actions.end_agreement(SYSTEM, NT, "everything", "test")),
        ("CLIENT_UNKNOWN", lambda: actions.give_credential(SYSTEM, "NOBODY")),
        ("CREDENTIAL_UNKNOWN", lambda: actions.withdraw_credential(SYSTEM, "NOBODY", "test")),
        ("REASON_MISSING", lambda: actions.withdraw_credential(SYSTEM, "NOBODY", " ")),
        ("OVERLAP_OUT_OF_RANGE", lambda: actions.rotate_credential(SYSTEM, NT, 91 * DAY)),
        ("OVERLAP_OUT_OF_RANGE", lambda: actions.rotate_credential(SYSTEM, NT, -DAY)),
    ):
        with pytest.raises((BadInput, NotFound), match=refused):
            do()


@pytest.mark.django_db
def test_a_secret_is_shown_once_and_kept_hashed() -> None:
    a_client(NT)
    credential_id, secret = actions.give_credential(SYSTEM, NT)
    kept = Credential.objects.get(client_id=credential_id)
    assert credential_id.startswith(f"{NT}.")
    assert len(secret) >= 43
    assert secret not in str(vars(kept))
    [fact] = audit.facts_about(f"client:{NT}")
    assert (fact.verb, fact.detail) == ("sharing.give_credential", {"credential": credential_id})


@pytest.mark.django_db
def test_rotating_leaves_the_old_one_its_days_and_shortens_what_lasts_longer() -> None:
    a_client(NT)
    first, _ = actions.give_credential(SYSTEM, NT)
    second, _ = actions.rotate_credential(SYSTEM, NT, 7 * DAY)
    ends = {each.client_id: each.valid_to for each in queries.open_credentials(NT)}
    assert ends[second] is None
    assert ends[first] is not None
    third, _ = actions.rotate_credential(SYSTEM, NT, dt.timedelta())
    assert [each.client_id for each in queries.open_credentials(NT)] == [third]


@pytest.mark.django_db
def test_a_client_has_so_many_credentials_at_most() -> None:
    a_client(NT)
    given = [actions.give_credential(SYSTEM, NT)[0] for _ in range(credentials.OPEN_MAX)]
    with pytest.raises(Conflict, match="CREDENTIALS_TOO_MANY"):
        actions.give_credential(SYSTEM, NT)
    for _ in range(2):
        actions.withdraw_credential(SYSTEM, given[0], "leaked")
    actions.give_credential(SYSTEM, NT)
    assert verbs().count("sharing.withdraw_credential") == 1


@pytest.mark.django_db
def test_a_client_that_ended_is_agreed_with_no_more() -> None:
    client = a_client(NT)
    credential_id, _ = actions.give_credential(SYSTEM, NT)
    catalogue.suspend(SYSTEM, "client", NT, "test")
    assert not Credential.objects.get(client_id=credential_id).is_usable(None)
    client.state = "ended"
    client.save()
    with pytest.raises(Conflict, match="ENDED"):
        agree(NT, Scope.CARDS)


@pytest.mark.django_db
@pytest.mark.parametrize("actor", [Actor("staff:1", frozenset({"sharing.read"})), Actor("client:NT-TEST")])
def test_nobody_else_agrees_or_gives(actor: Actor) -> None:
    a_client(NT)
    said = {"purpose_zh": "测试", "purpose_en": "A test", "basis": BASIS, "ends_on": clock.today() + DAY}
    for do in (
        lambda: actions.agree(actor, NT, Scope.CARDS, **said),  # type: ignore[arg-type]
        lambda: actions.end_agreement(actor, NT, Scope.CARDS, "test"),
        lambda: actions.give_credential(actor, NT),
        lambda: actions.rotate_credential(actor, NT),
        lambda: actions.withdraw_credential(actor, "x", "test"),
    ):
        with pytest.raises(NotPermitted):
            do()


# --- Under the roles of a node ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client_code(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> str:
    with django_as(fresh_database["owner"], django_db_blocker):
        a_client(NT)
    return NT


def test_staff_web_may_do_it_all(
    client_code: str, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    officer = Actor("staff:1", frozenset({"*"}))
    with django_as(fresh_database["staff"], django_db_blocker):
        for days in (30, 60):
            agree(client_code, Scope.USES, days=days, actor=officer)
        actions.end_agreement(officer, client_code, Scope.USES, "test")
        credential_id, _ = actions.rotate_credential(officer, client_code)
        actions.withdraw_credential(officer, credential_id, "test")


SECRETS = "SELECT client_secret FROM sharing_credential"


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("public", SECRETS),
        ("gateway", SECRETS),
        ("worker", SECRETS),
        ("api", "INSERT INTO sharing_agreement (scope) VALUES ('cards.read')"),
        ("api", "UPDATE oauth2_provider_accesstoken SET expires = now() + interval '1 year'"),
        ("api", "DELETE FROM sharing_allowance"),
        ("staff", "SELECT token_checksum FROM oauth2_provider_accesstoken"),
        ("worker", "SELECT token_checksum FROM oauth2_provider_accesstoken"),
    ],
)
def test_nobody_reaches_further(client_code: str, fresh_database: dict[str, str], role: str, statement: str) -> None:
    with psycopg.connect(fresh_database[role]) as connected, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connected.execute(statement.encode())


Run = Callable[..., int]


@pytest.fixture
def run(
    client_code: str, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:  # fmt: skip
    """Run a command as the command line does, on the module's database."""
    monkeypatch.setenv("LANGUAGE", "en")

    def go(*argv: str) -> int:
        arguments = cli._parser().parse_args(argv)
        return cli.function_of(arguments.command)(arguments)

    with django_as(fresh_database["owner"], django_db_blocker):
        yield go


def test_the_commands_agree_give_show_and_withdraw(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    until = (clock.today() + 30 * DAY).isoformat()
    said = ("--purpose", "测试", "A test", "--basis", BASIS, "--until", until)
    assert run("clients", "agree", NT, "cards.read", "catalogue.read", *said, "--per-minute", "9") == 0
    assert run("clients", "give-credential", NT) == 0
    given = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert len(given["client_secret"]) >= 43
    assert run("clients", "rotate-credential", NT, "--overlap-days", "1") == 0
    assert run("clients", "end-agreement", NT, "catalogue.read", "test") == 0
    assert run("clients", "withdraw-credential", given["client_id"], "test") == 0
    capsys.readouterr()
    assert run("clients", "show") == 0
    assert NT in capsys.readouterr().out
    assert run("clients", "show", NT) == 0
    shown = capsys.readouterr().out
    assert "cards.read" in shown
    assert "9/min" in shown
    assert given["client_id"] not in shown
    assert given["client_secret"] not in shown
