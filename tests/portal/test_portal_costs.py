"""What an item would cost who is signed in: by the function that decides at the gate, and for nobody else."""

from pathlib import Path

import pytest
from django.test import Client
from tests.foundation.web.faces import a_resident, a_resident_client
from tests.kernel.catalogue.builders import an_item, load_published

from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import CardState
from onecard.kernel.signins.models import User
from onecard_kit.terms import Period
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db
FARE = 'price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }'
SENIOR = '[[concession]]\nclass = "senior_70"\nprice = { percent = 0 }\nfunded_by = "treasury.city"'
HALF = '[[concession]]\nclass = "senior_70"\nprice = { percent = 50 }\nfunded_by = "treasury.city"'
ONCE = 'quota = { count = 1, period = "day" }'
TILL = 'price = { open_fen = [100, 90000], from = "holder.purse", to = "operator.receivable" }'
HOURLY = (
    'price = { from = "holder.purse", to = "operator.receivable", hourly = { fen = 1000, max_fen = 4000, free_minutes'
    " = 10 } }"
)
LAW = 'excluded = { basis = "test/13", zh = "须用居民身份证", en = "Takes the identity card" }'


def a_senior() -> tuple[User, Card, Client]:
    user, card = a_resident()
    return user, card, a_resident_client(user)


def told(client: Client, item: str, **query: str) -> str:
    """What the page of an item says beside 您现在使用; '' where it says nothing of it."""
    response = client.get(f"/services/{item}", query)
    assert response.status_code == 200
    return str(response.content.decode()).partition('id="mine"')[2].partition("</section>")[0]


def test_a_senior_sees_what_is_paid_and_who_bears_the_rest(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("transit.bus", FARE, HALF))
    _, _, client = a_senior()
    page = told(client, "transit.bus")
    assert "1.00 元" in page
    assert "70周岁及以上老人：原价2.00元，实付1.00元，1.00元由市财政承担" in page
    assert "the city treasury bears ¥1.00" in told(client, "transit.bus", lang="en")


def test_strangers_see_nothing_of_it_and_it_is_kept_nowhere(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("transit.bus", FARE, HALF))
    assert told(Client(), "transit.bus") == ""
    _, _, client = a_senior()
    assert client.get("/services/transit.bus")["Cache-Control"] == "no-store"


def test_a_used_up_right_costs_the_full_price(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("transit.bus", FARE, SENIOR, ONCE))
    user, _, client = a_senior()
    assert "免费" in told(client, "transit.bus")
    rows(
        "INSERT INTO entitlements_quota (holder_id, rule, period, used) VALUES ($1, $2, $3, 1)",
        user.holder_id,
        "transit.bus/senior_70",
        Period.DAY.of(clock.today()),
    )
    page = told(client, "transit.bus")
    assert "2.00 元" in page
    assert "免费" not in page


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([TILL], "按当场金额"),
        ([TILL, HALF], "全价的 50%"),
        (["journey = { ends_after_hours = 8 }", HOURLY], "最多 40.00 元"),
        ([], "免费"),
        (['when = { days = ["working"], hours = [["00:00", "00:01"]] }', FARE], "2.00 元"),
    ],
)
def test_each_kind_of_price_is_told_as_far_as_it_is_known(tmp_path: Path, terms: list[str], expected: str) -> None:
    load_published(tmp_path, an_item("culture.hall", *terms))
    _, _, client = a_senior()
    assert f'<b class="num">{expected}</b>' in told(client, "culture.hall")


def test_who_is_not_let_in_is_told_why_and_what_to_do(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("education.campus", 'classes = ["student"]'), an_item("transit.bus", FARE))
    _, card, client = a_senior()
    page = told(client, "education.campus")
    assert "不能使用" in page
    assert WORDS[Verdict.NOT_ENTITLED].zh in page
    rows("UPDATE cards_standing SET card_state = $2 WHERE card_id = $1", card.pk, CardState.LOST.value)
    page = told(client, "transit.bus")
    assert WORDS[Verdict.CARD_LOST].zh in page
    assert WORDS[Verdict.CARD_LOST].next_zh in page
    assert 'class="num"' not in page


def test_what_the_law_reserves_and_whoever_has_no_card_are_told_no_price(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("government.marriage", LAW), an_item("transit.bus", FARE))
    _, card, client = a_senior()
    assert told(client, "government.marriage") == ""
    rows("DELETE FROM cards_standing WHERE card_id = $1", card.pk)
    assert told(client, "transit.bus") == ""
