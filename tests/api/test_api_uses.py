"""Uses at a client's own points: its own and no other's, page by page without a gap, and each explained."""

import datetime as dt
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.api.office import BUS, LIBRARY, Office, System
from tests.api.process import problem
from tests.api.test_api_holders import identify

from onecard.foundation import clock
from onecard.foundation.ids import uuid7, uuid7_floor
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes


def listed(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.get("/uses", params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def walk(client: httpx.Client, **asked: Any) -> tuple[list[str], str]:
    """Every use from page to page, and where to go on later."""
    found, told = [], listed(client, **asked)
    while True:
        found += [use["id"] for use in told["uses"]]
        if told["next"] is None:
            return found, told["resume"]
        told = listed(client, **{**asked, "after": told["next"]})


def written(office: Office, system: System, at: dt.datetime, item: str = BUS, verdict: str = "ADMITTED") -> str:
    """A use that was recorded long ago."""
    use_id = uuid7(int(at.timestamp() * 1000))
    office.city.run(
        "INSERT INTO uses_use (id, at, terminal_id, point_id, item, item_version_id, medium, verdict, full_fen,"
        " paid_fen)"
        " SELECT $1, $2, t.id, t.point_id, v.item_id, v.id, 'code', $4, 0, 0"
        " FROM catalogue_terminal t, catalogue_item_version v WHERE t.id = $5 AND v.item_id = $3",
        use_id, at, item, verdict, system.terminal.id,
    )  # fmt: skip
    return str(use_id)


def test_a_client_sees_what_happened_at_its_points(office: Office) -> None:
    system, other = office.a_system(), office.a_system(item=LIBRARY)
    _, card = office.a_holder()
    shown = office.shown(card)
    use = str(office.a_use(system, shown))
    office.a_use(other, item=LIBRARY)
    with system.speaking() as client:
        [told] = listed(client)["uses"]
        assert client.get(f"/uses/{use}").json() == told
        assert told["holder"] == identify(client, card_number=card.number)
    assert {key: told[key] for key in ("id", "point", "terminal", "item", "version", "medium", "leg", "admitted")} == {
        "id": use, "point": system.point, "terminal": system.terminal.code, "item": BUS, "version": 1,
        "medium": "code", "leg": None, "admitted": True,
    }  # fmt: skip
    assert told["verdict"] == {"code": "ADMITTED", "zh": "通过", "en": "Admitted"}
    assert told["price"] == {
        "full_fen": 200, "paid_fen": 0, "funded_fen": 200, "waived_fen": 0, "concession": "senior_70"
    }  # fmt: skip
    assert told["refunded"] is False
    with other.speaking() as client:
        assert [each["item"] for each in listed(client)["uses"]] == [LIBRARY]
        assert problem(client.get(f"/uses/{use}")) == (404, "USE_UNKNOWN")
        assert problem(client.get(f"/uses/{use}/explanation")) == (404, "USE_UNKNOWN")


def test_whose_a_use_was_takes_a_scope_and_leaves_a_fact(office: Office) -> None:
    system = office.a_system()
    holder, card = office.a_holder()
    shown = office.shown(card)
    for _ in range(2):
        office.a_use(system, shown)
    with system.speaking(Scope.USES) as client:
        assert [use["holder"] for use in listed(client)["uses"]] == [None, None]
    assert office.facts("sharing.disclose", f"holder:{holder.pk}") == []
    with system.speaking(Scope.USES, Scope.USES_HOLDERS) as client:
        assert len({use["holder"] for use in listed(client)["uses"]}) == 1
    [(actor, _, detail)] = office.facts("sharing.disclose", f"holder:{holder.pk}")
    assert (actor, detail["scope"], detail["uses"]) == (f"client:{system.code}", "uses.holders", 2)


def test_pages_follow_one_another_without_a_gap_or_a_double(office: Office) -> None:
    system = office.a_system()
    begin = clock.now() - dt.timedelta(days=1)
    wanted = [written(office, system, begin + dt.timedelta(seconds=n)) for n in range(7)]
    with system.speaking() as client:
        for limit in (1, 2, 3, 7, 500):
            found, resume = walk(client, limit=limit)
            assert (found, resume) == (wanted, wanted[-1])
        late = written(office, system, begin + dt.timedelta(seconds=8))
        assert walk(client, after=resume)[0] == [late]


def test_going_on_later_misses_no_use_that_was_committed_late(office: Office) -> None:
    """A use that began before another may be committed after it: what is not settled yet is read again."""
    system = office.a_system()
    with system.speaking() as client:
        seen = written(office, system, clock.now())
        found, resume = walk(client)
        assert found == [seen]
        late = written(office, system, clock.now() - dt.timedelta(seconds=20))
        assert walk(client, after=resume)[0] == [late, seen]


def test_filters_keep_a_part_and_pages_go_on_past_what_does_not_fit(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = office.a_system()
    begin = clock.now() - dt.timedelta(days=2)
    minutes = [begin + dt.timedelta(minutes=n) for n in range(6)]
    uses = [
        written(office, system, at, item=BUS if n % 2 else LIBRARY, verdict="ADMITTED" if n < 4 else "FUNDS_SHORT")
        for n, at in enumerate(minutes)
    ]
    with system.speaking() as client:
        assert walk(client, item=BUS, limit=1)[0] == [uses[1], uses[3], uses[5]]
        assert walk(client, verdict="FUNDS_SHORT")[0] == uses[4:]
        assert walk(client, item=BUS, verdict="FUNDS_SHORT")[0] == [uses[5]]
        assert walk(client, since=minutes[2].isoformat(), until=minutes[4].isoformat())[0] == uses[2:4]
        assert walk(client, point="elsewhere")[0] == []
        assert walk(client, point=system.point)[0] == uses


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"}, {"limit": "501"}, {"limit": "1.0"}, {"limit": "x"}, {"after": "x"}, {"after": "0" * 32},
        {"since": "2026-03-01"}, {"since": "yesterday"}, {"since": "0001-01-01T00:00:00Z"}, {"verdict": "FINE"},
        {"since": "2026-02-30T00:00:00Z"}, {"item": "a b"}, {"nonsense": "1"}, {"point": "a\0"},
    ],
)  # fmt: skip
def test_a_question_that_is_none_is_refused(office: Office, asked: dict[str, str]) -> None:
    with office.a_system().speaking() as client:
        assert problem(client.get("/uses", params=asked)) == (400, "REQUEST_MALFORMED")


def test_a_use_is_explained_rule_by_rule(office: Office) -> None:
    system = office.a_system()
    holder, card = office.a_holder()  # born in 1950: a senior
    use = office.a_use(system, office.shown(card))
    with system.speaking() as client:
        answer = client.get(f"/uses/{use}/explanation")
        assert answer.status_code == 200, answer.text
        told = answer.json()
    assert (told["admitted"], told["agrees"], told["differs"]) == (True, True, None)
    assert told["recorded"]["verdict"] == "ADMITTED"
    assert [step["outcome"] for step in told["steps"] if step["rule"].startswith(f"{BUS}/")].count("best") == 1
    assert all(step["zh"] and step["en"] for step in told["steps"])
    facts = office.facts("sharing.disclose", f"holder:{holder.pk}")
    assert [(detail["scope"], detail["use"]) for _, _, detail in facts] == [("terms.explain", str(use))]


def test_a_use_of_nobody_known_is_explained_too(office: Office) -> None:
    system = office.a_system()
    use = written(office, system, clock.now(), verdict="CODE_MALFORMED")
    with system.speaking() as client:
        assert client.get(f"/uses/{use}/explanation").json()["verdict"]["code"] == "CODE_MALFORMED"
        unknown = UUID(int=uuid7_floor(clock.now()).int + 1)
        assert problem(client.get(f"/uses/{unknown}/explanation")) == (404, "USE_UNKNOWN")


def test_what_would_become_of_a_use_changes_nothing(office: Office) -> None:
    system = office.a_system()
    holder, card = office.a_holder()
    shown = office.shown(card)
    with system.speaking() as client:
        name = identify(client, card_number=card.number)
        asked = {"holder": name, "item": BUS, "point": system.point}
        first, second = (client.post("/what-ifs", json=asked) for _ in range(2))
        assert first.status_code == 200, first.text
        assert first.json() == second.json()
        told = first.json()
        assert (told["admitted"], told["price"]["full_fen"], told["agrees"]) == (True, 200, None)
        assert listed(client)["uses"] == []
    assert office.city.purse_of(shown) == 10_000
    facts = office.facts("sharing.disclose", f"holder:{holder.pk}")
    assert [detail["scope"] for _, _, detail in facts] == ["holders.identify", "terms.explain", "terms.explain"]


def test_what_cannot_be_asked_is_said(office: Office) -> None:
    system, other = office.a_system(), office.a_system()
    _, card = office.a_holder()
    with system.speaking() as client:
        name = identify(client, card_number=card.number)
        good = {"holder": name, "item": BUS, "point": system.point}
        for change, refused in (
            ({"holder": "a" * 26}, (404, "HOLDER_UNKNOWN")),
            ({"holder": "x"}, (400, "REQUEST_MALFORMED")),
            ({"point": other.point}, (404, "POINT_UNKNOWN")),
            ({"item": "no.such"}, (404, "ITEM_UNKNOWN")),
            ({"medium": "code"}, (404, "ECARD_UNKNOWN")),
            ({"amount_fen": 0}, (400, "REQUEST_MALFORMED")),
            ({"amount_fen": "1"}, (400, "REQUEST_MALFORMED")),
            ({"at": "noon"}, (400, "REQUEST_MALFORMED")),
            ({"at": (clock.now() + dt.timedelta(days=32)).isoformat()}, (400, "MOMENT_TOO_FAR")),
            ({"at": (clock.now() - dt.timedelta(days=32)).isoformat()}, (400, "MOMENT_TOO_FAR")),
            ({"leg": "up"}, (400, "REQUEST_MALFORMED")),
        ):
            assert problem(client.post("/what-ifs", json={**good, **change})) == refused
        told = client.post("/what-ifs", json={**good, "medium": "card", "amount_fen": 5}).json()
        assert told["verdict"]["code"] == "AMOUNT_INVALID"
        told = client.post("/what-ifs", json={**good, "item": LIBRARY}).json()
        assert told["verdict"]["code"] == "ITEM_NOT_OFFERED"
        # Who taps out may end a journey, so the facts of journeys are read, too.
        told = client.post("/what-ifs", json={**good, "medium": "card", "leg": "out"}).json()
        assert told["verdict"]["code"] == "LEG_INVALID"
