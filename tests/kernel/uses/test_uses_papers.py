"""Paper codes, and codes on a relative's phone, at the gateway's lane: used again and again, never paid with, revoked
one by one; and staff are asked to look.
"""

import datetime as dt
import secrets
from collections.abc import Iterator

import pytest
from tests.small_city import Card, SmallCity, Terminal, record

from onecard.foundation import clock
from onecard.kernel.uses.lines import Answer, Outcome
from onecard_kit.codes import Via

RIDE, ENTRY, TOWN_HALL = "transit.bus_ride", "culture.library_entry", "government.identity"
IDENTITY = """
code = "government.identity"
version = 1
starts_on = 2020-01-01
name = { zh = "身份核验", en = "Identity proof" }
legal_basis = ["test"]
family = "look"
paper = "refuse"
"""


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    made.an_item(IDENTITY)
    yield made
    made.connection.close()


@pytest.fixture
def gate(fresh_database: dict[str, str]) -> str:
    return fresh_database["gateway"]


@pytest.fixture
def elder(city: SmallCity) -> Card:
    """Somebody with an e-card and no phone."""
    card = city.a_card(classes=[("senior_70", "2020-01-01", None)])
    city.enrol(card, secrets.token_bytes(32))
    return card


def a_desk(city: SmallCity, item: str = ENTRY, *, attended: bool = True) -> Terminal:
    terminal = (
        city.a_terminal(item) if item != TOWN_HALL else city.a_terminal(item, point=city.a_point(item, city.operator))
    )
    city.run("UPDATE catalogue_terminal SET attended = $2 WHERE id = $1", terminal.id, attended)
    return terminal


def told(answers: list[Outcome]) -> list[str]:
    assert all(isinstance(answer, Answer) for answer in answers)
    return [answer.verdict.value for answer in answers if isinstance(answer, Answer)]


def test_a_paper_code_is_used_again_and_again_up_to_its_quota(city: SmallCity, gate: str, elder: Card) -> None:
    desk, paper = a_desk(city), city.a_paper(elder)
    first, second = record(
        gate,
        [city.a_line(desk, code=paper, item=ENTRY) for _ in range(2)],
        [city.a_line(desk, code=paper, item=ENTRY) for _ in range(2)],
    )
    assert told(first) == ["ADMITTED", "ADMITTED"]
    assert told(second) == ["ADMITTED", "QUOTA_EXHAUSTED"]
    assert all(answer.look for answer in first if isinstance(answer, Answer))
    assert not [answer.look for answer in second if isinstance(answer, Answer)][1]
    rows = city.run("SELECT medium, verdict FROM uses_use WHERE card_id = $1", elder.id)
    assert sorted(rows) == [("code", "ADMITTED")] * 3 + [("code", "QUOTA_EXHAUSTED")]


def test_its_line_that_comes_again_asks_to_look_again(city: SmallCity, gate: str, elder: Card) -> None:
    line = city.a_line(a_desk(city), code=city.a_paper(elder), item=ENTRY)
    [[first], [again]] = record(gate, [line], [line])
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert (again.repeated, again.use_id, again.look) == (True, first.use_id, True)


def test_it_never_pays_and_is_for_staff(city: SmallCity, gate: str, elder: Card) -> None:
    paper = city.a_paper(elder)
    lines = [
        city.a_line(a_desk(city, RIDE), code=paper),  # free for an elder, and still a ride that has a price
        city.a_line(a_desk(city, attended=False), code=paper, item=ENTRY),
        city.a_line(a_desk(city, TOWN_HALL), code=paper, item=TOWN_HALL),
    ]
    [answers] = record(gate, lines)
    assert told(answers) == ["MEDIUM_NOT_ACCEPTED", "NOT_ATTENDED", "MEDIUM_NOT_ACCEPTED"]
    assert city.purse_of(elder) == 10_000


def test_it_holds_for_as_long_as_it_says(city: SmallCity, gate: str, elder: Card) -> None:
    begins = dt.datetime(2027, 5, 1, 8, 0, tzinfo=clock.CHINA)
    desk, paper = a_desk(city), city.a_paper(elder, days=30, at=begins)
    groups = [
        [city.a_line(desk, code=paper, item=ENTRY, at=begins + dt.timedelta(seconds=s))]
        for s in (-6, 0, 30 * 86_400 - 1, 30 * 86_400 + 5)
    ]
    answers = [told(group) for group in record(gate, *groups)]
    assert answers == [["CODE_NOT_YET_VALID"], ["ADMITTED"], ["ADMITTED"], ["CODE_EXPIRED"]]


def test_each_way_to_lose_it_is_refused_by_the_next_use(city: SmallCity, gate: str, elder: Card) -> None:
    desk, paper, other = a_desk(city), city.a_paper(elder), city.a_card()
    city.enrol(other, secrets.token_bytes(32))
    neighbours = city.a_paper(other)

    def shown(text: str = paper) -> list[str]:
        [answers] = record(gate, [city.a_line(desk, code=text, item=ENTRY)])
        return told(answers)

    assert shown() == ["ADMITTED"]
    city.run("UPDATE cards_standing SET card_state = 'temp_lost' WHERE card_id = $1", elder.id)
    assert shown() == ["CARD_LOST"]
    city.run("UPDATE cards_standing SET card_state = 'active' WHERE card_id = $1", elder.id)
    assert shown() == ["ADMITTED"]
    city.run("UPDATE ecards_paper_code SET revoked_at = now() WHERE ecard_id = $1", elder.serial)
    assert shown() == ["CODE_REVOKED"]
    assert shown(neighbours) == ["ADMITTED"]
    row = city.run("SELECT card_id FROM uses_use WHERE verdict = 'CODE_REVOKED' ORDER BY id DESC LIMIT 1")
    assert row == [(elder.id,)]  # whoever looks into it finds whose it was


def test_one_that_nobody_issued_is_void(city: SmallCity, gate: str, elder: Card) -> None:
    """As if somebody signed with a stolen key before it was withdrawn."""
    paper = city.a_paper(elder)
    city.run("DELETE FROM ecards_paper_code WHERE ecard_id = $1", elder.serial)
    [answers] = record(gate, [city.a_line(a_desk(city), code=paper, item=ENTRY)])
    assert told(answers) == ["CODE_REVOKED"]


def test_the_loss_of_its_key_voids_it(city: SmallCity, gate: str, elder: Card) -> None:
    city.make_lasting_key()
    paper = city.a_paper(elder)
    city.run("UPDATE ecards_key SET withdrawn_at = now(), sign_to = now(), verify_to = now() WHERE purpose = 'lasting'")
    [answers] = record(gate, [city.a_line(a_desk(city), code=paper, item=ENTRY)])
    city.run("DELETE FROM ecards_key WHERE purpose = 'lasting'")
    assert told(answers) == ["KEY_UNKNOWN"]


def test_phone_and_paper_of_one_card_in_one_group(city: SmallCity, gate: str, elder: Card) -> None:
    desk = a_desk(city)
    lines = [
        city.a_line(desk, code=city.a_paper(elder), item=ENTRY),
        city.a_line(desk, elder, item=ENTRY),
        city.a_line(desk, elder, item=ENTRY, counter=1),
        city.a_line(desk, elder, item=ENTRY),
    ]
    [answers] = record(gate, lines)
    assert told(answers) == ["ADMITTED"] * 3 + ["QUOTA_EXHAUSTED"]
    assert [answer.look for answer in answers if isinstance(answer, Answer)] == [True, False, False, False]


def test_a_relatives_phone_is_taken_as_the_item_says(city: SmallCity, gate: str) -> None:
    card = city.a_card()

    def shown(terminal: Terminal, item: str, via: Via) -> Answer:
        line = city.a_line(terminal, code=city.a_code(card, via=via), item=item)
        [[answer]] = record(gate, [line])
        assert isinstance(answer, Answer)
        return answer

    hall, alone = a_desk(city, TOWN_HALL), a_desk(city, TOWN_HALL, attended=False)
    assert (shown(hall, TOWN_HALL, Via.FAMILY).verdict, shown(hall, TOWN_HALL, Via.FAMILY).look) == ("ADMITTED", True)
    assert shown(alone, TOWN_HALL, Via.FAMILY).verdict == "NOT_ATTENDED"
    own = shown(alone, TOWN_HALL, Via.SELF)
    assert (own.verdict, own.look) == ("ADMITTED", False)
    ride = shown(a_desk(city, RIDE), RIDE, Via.FAMILY)
    assert (ride.verdict, ride.look, ride.paid_fen) == ("ADMITTED", False, 190)
