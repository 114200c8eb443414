"""The demo city in a real database: resumed after a kill, the same each time, sound in its registers and its money."""

import datetime as dt
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster

from onecard.demo import city, nantong, owner, pockets, residents, sandbox
from onecard.demo.plan import ACTOR, Plan
from onecard.foundation import clock
from onecard.foundation.actors import system
from onecard.foundation.postgres.raw import rows
from onecard.kernel.cards import actions
from onecard.kernel.cards.models import Standing
from onecard.kernel.holders import divisions
from onecard.kernel.signins.models import User

HOLDERS, SEED = 800, 7
# What a seed decides; sealed values and transfer ids are new each time.
DRAWN = (
    "SELECT birth_date, sex, life, place FROM holders_holder ORDER BY id",
    "SELECT holder_id, kind, valid_from, valid_to FROM holders_certificate ORDER BY id",
    "SELECT number, identifier, holder_id, generation, state, issued_on, valid_to FROM cards_card ORDER BY id",
    "SELECT card_id, function, state FROM cards_function ORDER BY 1, 2",
    "SELECT card_id, token FROM cards_account ORDER BY 1",
    "SELECT serial, card_id FROM ecards_ecard ORDER BY serial",
    "SELECT a.owner, b.free_fen FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id ORDER BY a.id",
)


class Killed(Exception):
    """Stands for a kill: nothing after it runs, and its transaction is gone."""


def silent(zh: str, en: str = "", /) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module", autouse=True)
def django(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The loader commits in databases of its own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def passwords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "signins.json"


@pytest.fixture(scope="module")
def url(fresh_database: dict[str, str], passwords: Path, django: None) -> str:
    """A city whose load was killed inside a step and went on afterwards."""
    made = fresh_database["owner"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            city, "STEPS", [step._replace(do=_dying) if step.name == "cards" else step for step in city.STEPS]
        )
        with pytest.raises(Killed):
            city.load(made, HOLDERS, SEED, silent)
    assert [count(made, table) for table in ("holders_holder", "cards_card", "cards_standing")] == [HOLDERS, 0, 0]
    city.load(made, HOLDERS, SEED, silent, passwords=passwords)
    return made


def _dying(plan: Plan) -> dict[str, int]:
    residents.load_cards(plan)
    raise Killed


def read(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def count(url: str, table: str) -> int:
    (number,) = read(url, f"SELECT count(*) FROM {table}")[0]
    assert isinstance(number, int)
    return number


def test_a_killed_load_leaves_no_gap(url: str) -> None:
    assert read(url, "SELECT min(id), max(id) - count(*) FROM cards_card") == [(1, 0)]
    assert read(url, "SELECT min(number) FROM cards_card") == [("A00000001",)]
    done = read(url, "SELECT subject FROM audit_fact WHERE verb = 'demo.load' ORDER BY id")
    assert done == [(f"city:{step.name}",) for step in city.STEPS]


def test_what_is_issued_next_gets_the_next_numbers(url: str) -> None:
    assert read(url, "SELECT nextval('cards_card_id_seq') - max(id) FROM cards_card") == [(1,)]
    assert read(url, "SELECT nextval('cards_number_seq') - count(*) FROM cards_card") == [(1,)]
    assert read(url, "SELECT nextval('ecards_serial_seq') - max(serial) FROM ecards_ecard") == [(1,)]
    assert read(url, "SELECT nextval('holders_holder_id_seq') - max(id) FROM holders_holder") == [(1,)]


def test_loading_again_changes_nothing(url: str, passwords: Path) -> None:
    tables = [*city.LOADED, "audit_fact", "partners_party", "catalogue_point", "catalogue_terminal", "signins_user"]
    statement = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
    before = [read(url, statement.format(table)) for table in tables]
    told: list[str] = []
    city.load(url, 2 * HOLDERS, SEED + 1, lambda zh, en="", /: told.append(en), passwords=passwords)
    assert [read(url, statement.format(table)) for table in tables] == before
    assert told == []


def test_the_same_seed_gives_the_same_city(url: str, postgres: Cluster, template: str) -> None:
    name = "onecard_twin"
    try:
        twin = postgres.create(name, template)["owner"]
        city.load(twin, HOLDERS, SEED, silent)
        for statement in DRAWN:
            assert read(twin, statement) == read(url, statement)
    finally:
        postgres.drop(name)


def test_shares_are_those_of_a_city(url: str) -> None:
    cards = count(url, "cards_standing")
    shares = read(
        url,
        "SELECT count(*) FILTER (WHERE generation = 3), count(*) FILTER (WHERE card_state = 'active'),"
        " count(ecard_serial) FROM cards_standing",
    )[0]
    generation_3, active, ecards = (float(str(number)) for number in shares)
    assert abs(generation_3 / cards - 0.61) < 0.06
    assert abs(active / cards - 0.96) < 0.03
    assert abs(ecards / HOLDERS - 0.72) < 0.06
    assert read(url, "SELECT count(*) FROM holders_holder WHERE NOT synthetic") == [(0,)]


def test_every_standing_equals_its_refresh(url: str) -> None:
    statement = "SELECT to_jsonb(s) - 'updated_at' FROM cards_standing s ORDER BY card_id"
    before = read(url, statement)
    with owner.connected(url):
        actions.refresh_standing([card_id for (card_id,) in rows("SELECT id FROM cards_card")])
    assert read(url, statement) == before
    assert len(before) == count(url, "cards_card")


def test_purses_hold_what_was_transferred(url: str) -> None:
    assert read(
        url,
        "SELECT count(*) FROM ledger_balance b WHERE b.free_fen + b.room_fen <> 100000 OR b.debits_posted <> 0"
        " OR b.free_fen <> (SELECT coalesce(sum(amount_fen), 0) FROM ledger_transfer t"
        " WHERE t.credit_account = b.account_id)",
    ) == [(0,)]
    (held,) = read(url, "SELECT sum(free_fen + debits_posted) FROM ledger_balance")[0]
    (posted,) = read(url, "SELECT sum(amount_fen) FROM ledger_transfer WHERE code = 'opening'")[0]
    assert held == posted
    assert float(str(held)) > 0


def test_whoever_can_ride_has_a_purse_that_all_their_cards_reach(url: str) -> None:
    assert read(url, "SELECT count(*) FROM cards_standing WHERE transit = 'active' AND purse_account_id IS NULL") == [
        (0,)
    ]
    assert read(
        url,
        "SELECT count(*) FROM cards_standing s JOIN ledger_account a ON a.id = s.purse_account_id"
        " WHERE a.owner <> 'holder:' || s.holder_id OR a.role <> 'holder.purse'",
    ) == [(0,)]


def test_whoever_has_been_to_the_bank_has_an_account_and_nobody_else(url: str) -> None:
    assert count(url, "cards_account") > HOLDERS / 2
    assert read(
        url,
        "SELECT count(*) FROM cards_standing s FULL JOIN cards_account a ON a.card_id = s.card_id"
        " WHERE (s.financial = 'active') <> (a.card_id IS NOT NULL)",
    ) == [(0,)]
    assert read(url, "SELECT count(*) FROM cards_account WHERE token !~ '^tok_[0-9a-f]{32}$'") == [(0,)]


def test_points_lie_in_counties_of_today_and_belong_to_whom_they_should(url: str) -> None:
    table = divisions.load()
    assert {table[point.division].to_year for point in nantong.POINTS} == {None}
    assert len({point.division for point in nantong.POINTS}) == 7
    assert count(url, "catalogue_terminal") == sum(len(point.terminals()) for point in nantong.POINTS)
    assert count(url, "catalogue_offer") == sum(len(point.items) for point in nantong.POINTS)


def test_sign_ins_are_for_the_owner_of_the_file_alone_and_survive_its_loss(url: str, passwords: Path) -> None:
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    first = json.loads(passwords.read_text())
    with owner.connected(url):
        assert User.objects.get(username="clerk").check_password(first["clerk"])
        assert User.objects.get(username="senior").holder_id is not None
    passwords.unlink()
    city.load(url, HOLDERS, SEED, silent, passwords=passwords)
    second = json.loads(passwords.read_text())
    with owner.connected(url):
        assert User.objects.get(username="clerk").check_password(second["clerk"])
        assert not User.objects.get(username="clerk").check_password(first["clerk"])


def test_pockets_are_closed_and_nobody_carries_two(url: str, tmp_path: Path) -> None:
    path = pockets.fill(url, tmp_path, seed=1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    filled = json.loads(path.read_text())
    lent = [code for point in nantong.POINTS if point.code == nantong.SANDBOX for code, _ in point.terminals()]
    assert len(filled["terminals"]) == count(url, "catalogue_terminal") - len(lent)
    assert {"short", "senior_70", "pupil", "resident"} <= {each["kind"] for each in filled["chips"]}
    numbers = [each["number"] for each in filled["chips"]]
    tokens = [each["token"] for each in filled["phones"]]
    assert len(set(numbers)) == len(numbers) > 50
    assert len(set(tokens)) == len(tokens) > 50
    assert all(each["code"].startswith("OC1.") for each in filled["stale_codes"])


def test_a_sandbox_is_closed_keeps_what_is_good_and_no_day_takes_of_it(url: str, tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    with owner.connected(url):
        sandbox.make(path, "http://gateway:8802")
        first = json.loads(path.read_text())
        sandbox.make(path, "http://gateway:9902")
        second = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (second["trial"], second["holders"]) == (first["trial"], first["holders"])
    assert second["gateway"] == "http://gateway:9902"
    codes = {each["pairing_code"] for told in (first, second) for each in told["terminals"]}
    assert len(codes) == 2 * len(first["terminals"]) == 20
    assert {"resident", "short", "lost"} <= {each["name"] for each in first["holders"]}
    filled = json.loads(pockets.fill(url, tmp_path, seed=3).read_text())
    assert not {each["code"] for each in filled["terminals"]} & {each["terminal"] for each in first["terminals"]}
    assert nantong.SANDBOX not in {each["code"] for each in filled["points"]}
    with owner.connected(url):
        lent = sandbox.holders_taken()
        numbers = {row[0] for row in rows("SELECT number FROM cards_card WHERE holder_id = ANY ($1)", lent)}
        sandbox.make(tmp_path / "another.json", "http://gateway:8802")
    assert len(lent) == len(first["holders"])
    assert not numbers & {each["number"] for each in filled["chips"]}
    assert json.loads((tmp_path / "another.json").read_text())["trial"]["key"] != first["trial"]["key"]


def test_some_are_inside_a_sports_hall_for_up_to_three_hours_when_a_day_begins(url: str, tmp_path: Path) -> None:
    filled = json.loads(pockets.fill(url, tmp_path, seed=2).read_text())
    people = [*filled["phones"], *filled["chips"]]
    inside = [journey | each for each in people for journey in each["journeys"]]
    assert len(people) * 0.05 < len(inside) < len(people) * 0.2
    assert all(20 * 60 <= filled["made_at"] - each["at"] <= 176 * 60 for each in inside)
    with owner.connected(url):
        free = dict(map(tuple, rows(
            "SELECT k.number, b.free_fen FROM cards_card k JOIN cards_standing s ON s.card_id = k.id"
            " JOIN ledger_balance b ON b.account_id = s.purse_account_id"
        )))  # fmt: skip
    assert all(
        each["balance_fen"] == free[each["number"]] for each in filled["chips"] if each["balance_fen"] is not None
    )
    entered = sum(offer["entered"] for point in filled["points"] for offer in point["offers"].values())
    today = clock.today()
    assert entered >= sum(clock.day_of(dt.datetime.fromtimestamp(each["at"], dt.UTC)) == today for each in inside)


def test_a_purse_is_opened_once_and_reached_by_a_card_that_comes_later(url: str) -> None:
    with owner.connected(url):
        holder_id, card_id = rows(
            "SELECT holder_id, card_id FROM cards_standing WHERE card_state = 'active' AND purse_account_id IS NULL"
            " ORDER BY card_id LIMIT 1"
        )[0]
        account = actions.open_purse(ACTOR, holder_id)
        assert actions.open_purse(ACTOR, holder_id) == account
        actions.cancel(ACTOR, card_id, approved_by=system("checker"), reason="lost for good")
        later = actions.issue(ACTOR, holder_id, place=nantong.PLACE, bank=nantong.BANK)
        assert Standing.objects.get(pk=later.pk).purse_account_id == account
        facts = rows(
            "SELECT count(*) FROM audit_fact WHERE verb = 'cards.open_purse' AND subject = $1", f"card:{card_id}"
        )
    assert facts == [(1,)]
