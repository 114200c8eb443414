"""The residents' page on ways to pay."""

import pytest
from django.test import Client
from tests.foundation.web.faces import a_resident, a_resident_client, the_catalogue

from onecard.kernel.cards.rules import FunctionState
from onecard.kernel.entitlements import queries
from onecard_kit.terms import Means

pytestmark = pytest.mark.django_db

ITEM = "payments.shop_purchase"


def test_it_needs_a_sign_in() -> None:
    assert Client().get("/paying/").status_code == 302


def test_a_resident_turns_the_order_round_and_back() -> None:
    the_catalogue()
    user, _ = a_resident()
    assert user.holder_id is not None
    client = a_resident_client(user)
    page = client.get("/paying/").content.decode()
    assert ITEM in page
    assert "金融功能" not in page
    for first in (Means.BANK, Means.PURSE, Means.BANK):
        done = client.post("/paying/", {"item": ITEM, "first": first.value}, follow=True)
        assert "付款方式已更改" in done.content.decode()
    chosen = queries.means_of(user.holder_id)
    assert chosen.get(ITEM, (Means.BANK, Means.PURSE))[0] is Means.BANK


def test_without_the_financial_function_the_page_says_so() -> None:
    the_catalogue()
    user, _ = a_resident(functions=FunctionState.INACTIVE)
    assert "金融功能" in a_resident_client(user).get("/paying/").content.decode()


def test_without_items_to_choose_for_it_says_so() -> None:
    user, _ = a_resident()
    assert "目前没有可选付款方式的项目" in a_resident_client(user).get("/paying/").content.decode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"item": ITEM, "first": "gold"}, 400),
        ({"item": ITEM}, 400),
        ({"item": "x.y", "first": "bank"}, 404),
        ({"item": "\0", "first": "bank"}, 404),
        ({}, 404),
    ],
)
def test_what_makes_no_sense_changes_nothing(sent: dict[str, str], status: int) -> None:
    the_catalogue()
    user, _ = a_resident()
    assert user.holder_id is not None
    assert a_resident_client(user).post("/paying/", sent).status_code == status
    assert queries.means_of(user.holder_id) == {}


def test_it_speaks_english() -> None:
    the_catalogue()
    user, _ = a_resident()
    page = a_resident_client(user).get("/paying/?lang=en").content.decode()
    assert "Ways to pay" in page
    assert "first" in page
