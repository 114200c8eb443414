"""`onecard explain`: a readable answer, a fact with a reason, and nobody's name."""

import json
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.small_city import Card, SmallCity, record

from onecard import cli
from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotPermitted, OneCardError
from onecard.kernel.uses.disclosures import Named, disclose_card, disclose_use
from onecard.kernel.uses.lines import Answer

BUS = "transit.bus_ride"
Run = Callable[..., int]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture
def run(
    fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Run a command as the command line does, on the module's database."""
    monkeypatch.setenv("ONECARD_DATABASE_URL", fresh_database["owner"])
    monkeypatch.setenv("LANGUAGE", "en")

    def go(*argv: str) -> int:
        arguments = cli._parser().parse_args(argv)
        return cli.function_of(arguments.command)(arguments)

    with django_as(fresh_database["owner"], django_db_blocker):
        yield go


def a_registered_card(city: SmallCity) -> Card:
    card = city.a_card(classes=[("senior_60", "2020-01-01", None)])
    city.enrol(card, card.number.encode())
    return card


def a_ride(city: SmallCity, url: str) -> UUID:
    [[answer]] = record(url, [city.a_line(city.a_terminal(), city.a_card())])
    assert isinstance(answer, Answer)
    return answer.use_id


def the_point(city: SmallCity) -> str:
    code: str = city.one("SELECT code FROM catalogue_point WHERE id = $1", city._points[BUS])
    return code


def facts(city: SmallCity) -> list[tuple[str, str, str, str, dict[str, object]]]:
    return city.run(
        "SELECT actor, subject, place, reason, detail FROM audit_fact WHERE verb = 'uses.explain' ORDER BY id"
    )


def test_a_use_is_explained_for_a_reason(
    city: SmallCity, run: Run, fresh_database: dict[str, str], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    use_id = a_ride(city, fresh_database["gateway"])
    assert run("explain", "use", str(use_id), "--reason", "a complaint") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == ["Admitted", "Every holder: full price ¥2.00, you pay ¥1.90, the operator bears ¥0.10", ""]
    assert "* Terminal and its system: passed" in said
    assert "  Every holder (borne by the operator): best, so it is applied (¥1.90 to pay)" in said
    assert said[-1] == "* Not kept; taken from what was recorded."
    actor, subject, place, reason, detail = facts(city)[-1]
    assert (actor, place, reason, detail) == ("system:operator", "320600", "a complaint", {"use": str(use_id)})
    assert subject.startswith("holder:")
    monkeypatch.setenv("LANGUAGE", "zh")
    run("explain", "use", str(use_id), "--reason", "投诉", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["agrees"], told["price"]["paid_fen"]) == (True, 190)
    run("explain", "use", str(use_id), "--reason", "投诉")
    assert "  所有持卡人（运营单位承担）：最优惠，已适用（应付1.90元）" in capsys.readouterr().out.splitlines()


def test_what_would_become_of_a_use_is_told_for_card_and_holder(
    city: SmallCity, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    card, point = a_registered_card(city), the_point(city)
    city.a_terminal()
    asked = ("--item", BUS, "--point", point, "--reason", "a question", "--json")
    holder = city.one("SELECT holder_id FROM cards_card WHERE id = $1", card.id)
    paid = []
    for more in (["--card", card.number], ["--holder", str(holder), "--medium", "card", "--at", "2021-01-01T12:00"]):
        assert run("explain", "what-if", *more, *asked) == 0
        printed = capsys.readouterr().out
        assert card.number not in printed
        paid.append(json.loads(printed)["price"]["paid_fen"])
    assert paid == [100, 100]
    assert facts(city)[-1][4] == {"card": card.id, "item": BUS, "point": point}
    assert city.run("SELECT id FROM uses_use WHERE card_id = $1", card.id) == []


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["--card", "T99999999"], "CARD_UNKNOWN"),
        (["--holder", "999"], "CARD_UNKNOWN"),
        ([], "CARD_OR_HOLDER"),
        (["--card", "T1", "--point", "nowhere"], "POINT_UNKNOWN"),
        (["--card", "T1", "--item", "transit.rocket"], "ITEM_UNKNOWN"),
        (["--card", "T1", "--at", "noon"], "MOMENT_MALFORMED"),
    ],
)
def test_what_cannot_be_asked_leaves_no_fact(city: SmallCity, run: Run, argv: list[str], code: str) -> None:
    city.a_terminal()
    before = facts(city)
    with pytest.raises(OneCardError, match=code):
        run("explain", "what-if", "--item", BUS, "--point", the_point(city), "--reason", "a question", *argv)
    assert facts(city) == before


def test_a_reason_is_required_and_names_nobody(city: SmallCity, run: Run, fresh_database: dict[str, str]) -> None:
    use_id = str(a_ride(city, fresh_database["gateway"]))
    with pytest.raises(SystemExit):
        run("explain", "use", use_id)
    for reason, code in ((" ", "REASON_MISSING"), ("call 13800000000", "REASON_PERSONAL")):
        with pytest.raises(OneCardError, match=code):
            run("explain", "use", use_id, "--reason", reason)


def test_it_takes_a_permission_in_the_points_place(city: SmallCity, run: Run, fresh_database: dict[str, str]) -> None:
    use_id, card, point = a_ride(city, fresh_database["gateway"]), a_registered_card(city), the_point(city)
    for actor in (
        Actor("staff:1", frozenset({"holders.read"})),
        Actor("staff:2", frozenset({"uses.explain"}), ("3205",)),
    ):
        with pytest.raises(NotPermitted):
            disclose_use(actor, use_id, "a question")
        with pytest.raises(NotPermitted):
            disclose_card(actor, Named(card.number), BUS, point, None, "a question")
    disclose_use(Actor("staff:3", frozenset({"uses.explain"}), ("3206",)), use_id, "a question")
    assert facts(city)[-1][0] == "staff:3"
