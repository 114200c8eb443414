"""A purchase at a pharmacy, and by bank account in a shop: the gateway over HTTP, the simulated bank as a process.

The bank account pays before the purse at the pharmacy, and after it in the shop; the holder may choose another order.
"""

from collections.abc import Callable, Iterator

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.bank_process import BankProcess, a_bank, a_token
from tests.gateway.process import GatewayProcess, send
from tests.kernel.cards.roles import django_as
from tests.small_city import Card
from tests.stories.city import WORKING, StoryCity, at

from onecard.connectors.bank import settling
from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.processes

ITEM, PHARMACY, OTHER_PHARMACY = "health.pharmacy_purchase", "NT-PHARM-S1", "NT-PHARM-S2"
PURCHASE, SHOP = "payments.shop_purchase", "NT-SHOP-M1"
BY_BANK, BY_PURSE = "NT-PHARM operator.receivable bank", "NT-PHARM operator.receivable purse"
BY_CITY, TREASURY = "NT-PHARM operator.receivable treasury", "NT-FIN treasury.city treasury"
BANK = "NT-RCB bank.settlement bank"
Pay = Callable[..., dict[str, object]]


@pytest.fixture(scope="module")
def bank_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BankProcess]:
    with a_bank(tmp_path_factory.mktemp("bank")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    bank_process: BankProcess, city: StoryCity, environment_for: Callable[[str], dict[str, str]]
) -> Iterator[GatewayProcess]:
    running = GatewayProcess({**environment_for(city.urls["gateway"]), **bank_process.callers_environment})
    running.start()
    yield running
    running.stop()


@pytest.fixture
def bank(bank_process: BankProcess) -> BankProcess:
    bank_process.behave("normal")
    return bank_process


@pytest.fixture
def pay(gateway: GatewayProcess, city: StoryCity) -> Iterator[Pay]:
    """Present a fresh code at a till; what the terminal is told."""
    with httpx.Client(base_url=gateway.url, timeout=20) as client:

        def go(card: Card, amount_fen: int | None, item: str = ITEM, point: str = PHARMACY) -> dict[str, object]:
            content = {"item": item, "code": city.a_code(card), "amount_fen": amount_fen}
            told: dict[str, object] = send(client, city.terminal_at(point), content).json()
            return told

        yield go


def a_customer(city: StoryCity, bank: BankProcess, *classes: str, account_fen: int, fen: int | None = 10_000) -> Card:
    """A card with a purse, and an account at the bank that holds so much."""
    card = city.a_holder(*classes, fen=fen)
    token = bank.give(a_token(), account_fen)
    city.run("INSERT INTO cards_account (card_id, bank_id, token) VALUES ($1, $2, $3)", card.id, city.bank, token)
    return card


def verdict(told: dict[str, object]) -> object:
    found = told["verdict"]
    assert isinstance(found, dict)
    return found["code"]


def test_the_bank_account_pays_before_the_purse(city: StoryCity, bank: BankProcess, pay: Pay) -> None:
    card = a_customer(city, bank, account_fen=5_000)
    with city.money() as moved:
        told = pay(card, 5_000)
    assert verdict(told) == Verdict.ADMITTED
    assert moved == {BY_BANK: 5_000, BANK: -5_000}
    assert city.purse_of(card) == 10_000


def test_the_treasury_bears_a_tenth_for_low_incomes_four_times_a_month(
    city: StoryCity, bank: BankProcess, pay: Pay
) -> None:
    card = a_customer(city, bank, "low_income", account_fen=100_000)
    with city.money() as moved:
        pay(card, 30_000)
        pay(card, 1_000)
    assert moved == {BY_BANK: 28_900, BANK: -28_900, BY_CITY: 2_100, TREASURY: -2_100}
    paid = [pay(card, 1_000)["price"] for _ in range(3)]
    assert [price["paid_fen"] for price in paid if isinstance(price, dict)] == [900, 900, 1_000]


@pytest.mark.parametrize(("behaviour", "answer"), [("normal", Verdict.BANK_REFUSED), ("silent", Verdict.BANK_SILENT)])
def test_where_the_bank_does_not_pay_the_purse_does_or_nobody(
    city: StoryCity, bank: BankProcess, pay: Pay, behaviour: str, answer: Verdict
) -> None:
    with_purse, without = (a_customer(city, bank, account_fen=999, fen=fen) for fen in (10_000, 999))
    bank.behave(behaviour)
    with city.money() as moved:
        assert verdict(pay(with_purse, 1_000)) == Verdict.ADMITTED
        assert verdict(pay(without, 1_000)) == answer
    assert moved == {BY_PURSE: 1_000}
    assert (city.purse_of(with_purse), city.purse_of(without)) == (9_000, 999)


def test_without_an_account_or_its_function_the_purse_pays(city: StoryCity, bank: BankProcess, pay: Pay) -> None:
    unbound, closed = city.a_holder(), a_customer(city, bank, account_fen=5_000)
    city.run("UPDATE cards_standing SET financial = 'suspended' WHERE card_id = $1", closed.id)
    with city.money() as moved:
        assert [verdict(pay(card, 1_000)) for card in (unbound, closed)] == [Verdict.ADMITTED] * 2
    assert moved == {BY_PURSE: 2_000}


def test_the_order_of_means_is_the_holders_choice(city: StoryCity, bank: BankProcess, pay: Pay) -> None:
    card = a_customer(city, bank, account_fen=5_000, fen=1_500)
    city.run(
        "INSERT INTO entitlements_means (holder_id, item, means) VALUES ($1, $2, '{purse,bank}')", card.holder_id, ITEM
    )
    with city.money() as moved:
        pay(card, 1_000)
        pay(card, 1_000)
    assert moved == {BY_PURSE: 1_000, BY_BANK: 1_000, BANK: -1_000}


def test_in_the_shop_the_purse_comes_first_and_the_bank_pays_all_where_it_is_short(
    city: StoryCity, bank: BankProcess, pay: Pay
) -> None:
    card = a_customer(city, bank, account_fen=5_000, fen=1_000)
    with city.money() as moved:
        assert verdict(pay(card, 1_000, PURCHASE, SHOP)) == Verdict.ADMITTED
        assert verdict(pay(card, 1_000, PURCHASE, SHOP)) == Verdict.ADMITTED
    assert moved == {
        "NT-SHOP operator.receivable purse": 980,
        "NT-SHOP operator.receivable bank": 20 + 1_000,
        "NT-MALL merchant.offer bank": -20,
        BANK: -1_000,
    }


def test_what_the_bank_paid_goes_back_to_the_account(
    city: StoryCity, bank: BankProcess, pay: Pay, gateway: GatewayProcess, django_db_blocker: DjangoDbBlocker
) -> None:
    card = a_customer(city, bank, account_fen=5_000)
    token = city.one("SELECT token FROM cards_account WHERE card_id = $1", card.id)
    use = pay(card, 5_000)["use"]
    with httpx.Client(base_url=gateway.url, timeout=20) as client, city.money() as moved:
        response = send(client, city.terminal_at(OTHER_PHARMACY), {"use": use}, path="/v1/refunds")
        assert (response.status_code, response.json()["paid_fen"]) == (200, 5_000)
    assert moved == {BY_BANK: -5_000, BANK: 5_000}
    for _ in range(2):  # the refund waits for its capture
        city.run("UPDATE uses_bank_order SET next_try_at = now() WHERE state NOT IN ('refused', 'refunded')")
        with django_as(city.urls["worker"], django_db_blocker):
            settling.settle(bank.caller)
    assert (bank.account(token)["balance_fen"], bank.held_fen()) == (5_000, 0)


def test_refusals(city: StoryCity, pay: Pay) -> None:
    assert verdict(pay(city.a_holder(fen=999), 1_000)) == Verdict.FUNDS_SHORT
    assert verdict(pay(city.a_holder(fen=None), 1_000)) == Verdict.PURSE_MISSING
    assert verdict(pay(city.a_holder(), None)) == Verdict.AMOUNT_INVALID
    assert verdict(pay(city.a_holder(), 200_001)) == Verdict.AMOUNT_INVALID
    assert verdict(pay(city.a_holder(function_state="suspended"), 1_000)) == Verdict.FUNCTION_INACTIVE


def test_a_mistake_at_the_till_is_put_right_on_the_same_day(city: StoryCity) -> None:
    card = city.a_holder()
    noticed, late = (city.use(card, ITEM, PHARMACY, at(WORKING), amount_fen=1_000) for _ in range(2))
    assert city.give_back(noticed, OTHER_PHARMACY, at(WORKING, "23:59")).paid_fen == 1_000
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(late, PHARMACY, at("2026-03-12", "00:00"))
