"""Paying by bank account, end to end: a real gateway, the simulated bank as a process, the worker's settling.

Whatever the bank does and whatever is killed, the bank's own statement and our ledger come to the same, and nothing is
left held for a use that is not there.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from tests.bank_process import BankProcess
from tests.connectors.bank.banking_city import (
    FERRY,
    FILM,
    SHOP,
    BankingCity,
    Settle,
    a_ferry,
    a_lasting_code,
    a_purchase,
    sending,
    until,
)
from tests.gateway.process import GatewayProcess, a_gateway, send, verdict
from tests.small_city import Card, Terminal

from onecard.connectors.bank import settling

pytestmark = [pytest.mark.processes, pytest.mark.database, pytest.mark.usefixtures("all_is_conserved")]

# --- What the bank says -----------------------------------------------------------------------------------------------


def test_an_approved_use_is_paid_by_the_bank_and_captured(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000, purse_fen=10_000)
    answer = send(http, city.a_terminal(FERRY), a_ferry(city, card)).json()
    assert (answer["verdict"]["code"], answer["price"]["paid_fen"]) == ("ADMITTED", 200)
    [order] = city.orders(card)
    assert (order.state, order.use, order.amount_fen) == ("held", answer["use"], 200)
    assert bank.account(token) == {"balance_fen": 1_000, "free_fen": 800, "reason": None}
    assert settle() == 1
    assert city.states(card) == ["captured"]
    assert bank.account(token) == {"balance_fen": 800, "free_fen": 800, "reason": None}
    assert city.purse_of(card) == 10_000
    assert settle() == 0


def test_a_refusal_leads_to_the_next_means_or_to_a_verdict(
    city: BankingCity, bank: BankProcess, http: httpx.Client
) -> None:
    (card, _), (purseless, _) = city.a_customer(bank, 199, purse_fen=10_000), city.a_customer(bank, 199)
    ferry = city.a_terminal(FERRY)
    assert verdict(send(http, ferry, a_ferry(city, card))) == "ADMITTED"
    assert city.purse_of(card) == 9_800
    assert verdict(send(http, ferry, a_ferry(city, purseless))) == "BANK_REFUSED"
    assert [(o.state, o.last_error) for o in city.orders(card)] == [("refused", "51")]
    assert [(o.state, o.last_error) for o in city.orders(purseless)] == [("refused", "51")]


def test_the_holder_chooses_the_order_of_means(city: BankingCity, bank: BankProcess, http: httpx.Client) -> None:
    card, _ = city.a_customer(bank, purse_fen=10_000)
    city.run(
        "INSERT INTO entitlements_means (holder_id, item, means) VALUES ($1, $2, ARRAY['purse', 'bank'])",
        card.holder_id, FERRY,
    )  # fmt: skip
    assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, card))) == "ADMITTED"
    assert (city.purse_of(card), city.orders(card)) == (9_800, [])


def test_a_purse_too_small_is_followed_by_the_bank(city: BankingCity, bank: BankProcess, http: httpx.Client) -> None:
    card, _ = city.a_customer(bank, purse_fen=150)
    city.run(
        "INSERT INTO entitlements_means (holder_id, item, means) VALUES ($1, $2, ARRAY['purse', 'bank'])",
        card.holder_id, FERRY,
    )  # fmt: skip
    assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, card))) == "ADMITTED"
    assert (city.purse_of(card), city.states(card)) == (150, ["held"])


def test_a_card_without_an_account_or_its_function_never_asks(
    city: BankingCity, bank: BankProcess, http: httpx.Client
) -> None:
    without, resting = city.a_card(), city.a_customer(bank, purse_fen=10_000)[0]
    city.run("UPDATE cards_standing SET financial = 'suspended' WHERE card_id = $1", resting.id)
    for card in (without, resting):
        assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, card))) == "ADMITTED"
        assert (city.purse_of(card), city.orders(card)) == (9_800, [])


def test_a_silent_bank_charges_nothing_and_is_asked_to_let_go_until_it_does(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000)
    bank.behave("silent")
    started = time.monotonic()
    assert verdict(send(http, city.a_terminal(SHOP), a_purchase(city, card))) == "BANK_SILENT"
    assert 2 <= time.monotonic() - started < 4
    assert city.states(card) == ["releasing"]
    for tries in (1, 2):
        city.hurry()
        assert settle() == 0
        [order] = city.orders(card)
        assert (order.state, order.tries) == ("releasing", tries)
        assert order.last_error is not None
        assert order.last_error.startswith("silent")
    bank.behave("normal")
    city.hurry()
    assert settle() == 1
    assert city.states(card) == ["released"]
    assert bank.account(token)["free_fen"] == 1_000


def test_a_hold_whose_answer_was_lost_is_let_go(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000)
    bank.behave("answer_lost", "hold")
    assert verdict(send(http, city.a_terminal(SHOP), a_purchase(city, card))) == "BANK_SILENT"
    assert bank.account(token)["free_fen"] == 800
    assert settle() == 1
    assert (city.states(card), bank.account(token)["free_fen"]) == (["released"], 1_000)


def test_a_hold_that_comes_after_its_release_holds_nothing(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000)
    bank.behave("slow", "hold", slow_s=3.5)
    assert verdict(send(http, city.a_terminal(SHOP), a_purchase(city, card))) == "BANK_SILENT"
    assert settle() == 1
    time.sleep(2)
    assert bank.account(token)["free_fen"] == 1_000


def test_a_bank_that_hangs_up_leads_to_the_purse(city: BankingCity, bank: BankProcess, http: httpx.Client) -> None:
    card, _ = city.a_customer(bank, purse_fen=10_000)
    bank.behave("down")
    started = time.monotonic()
    assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, card))) == "ADMITTED"
    assert time.monotonic() - started < 1
    assert (city.purse_of(card), city.states(card)) == (9_800, ["releasing"])


def test_while_one_line_waits_for_the_bank_others_do_not(
    city: BankingCity, bank: BankProcess, http: httpx.Client
) -> None:
    card, other = city.a_customer(bank)[0], city.a_card()
    library = city.a_terminal("culture.library_entry")
    bank.behave("silent")
    with sending(http, city.a_terminal(SHOP), a_purchase(city, card)) as waiting:
        until(lambda: city.states(card) == ["asked"])
        for mine in (card, other):
            started = time.monotonic()
            content = {"item": "culture.library_entry", "code": a_lasting_code(city, mine)}
            assert verdict(send(http, library, content)) == "ADMITTED"
            assert time.monotonic() - started < 1
        assert not waiting.done()


# --- One line, once ---------------------------------------------------------------------------------------------------


def test_a_line_sent_again_and_again_to_two_gateways_asks_once(
    city: BankingCity,
    bank: BankProcess,
    http: httpx.Client,
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
) -> None:
    card, token = city.a_customer(bank, 1_000)
    shop, content = city.a_terminal(SHOP), a_purchase(city, card)
    bank.behave("slow", "hold", slow_s=0.5)
    with (
        a_gateway(lambda url: environment_for(url) | bank.callers_environment, fresh_database["gateway"]) as twin,
        httpx.Client(base_url=twin.url, timeout=20) as there,
        ThreadPoolExecutor(4) as pool,
    ):
        sent = pool.map(lambda by: send(by, shop, content, sequence=1), (http, there, http, there))
        answers = [each.json() for each in sent]
    again = send(http, shop, content, sequence=1).json()
    assert {answer["verdict"]["code"] for answer in (*answers, again)} == {"ADMITTED"}
    assert len({answer["use"] for answer in (*answers, again)}) == 1
    assert again["repeated"] is True
    assert len(city.orders(card)) == 1
    assert bank.account(token)["free_fen"] == 800


def test_other_content_under_the_same_sequence_is_refused_while_the_bank_is_asked(
    city: BankingCity, bank: BankProcess, http: httpx.Client
) -> None:
    card, _ = city.a_customer(bank)
    shop, content = city.a_terminal(SHOP), a_purchase(city, card)
    bank.behave("slow", "hold", slow_s=1)
    with sending(http, shop, content, sequence=1) as first:
        until(lambda: city.states(card) == ["asked"])
        other = send(http, shop, a_purchase(city, card, 300), sequence=1)
        assert (other.status_code, verdict(other)) == (409, "SEQUENCE_REUSED")
    assert verdict(first.result()) == "ADMITTED"


def test_a_code_used_elsewhere_while_the_bank_is_asked_is_not_paid_for(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000)
    content = a_purchase(city, card)
    bank.behave("slow", "hold", slow_s=1)
    with sending(http, city.a_terminal(SHOP), content) as paying:
        until(lambda: city.states(card) == ["asked"])
        entry = {"item": "culture.library_entry", "code": content["code"]}
        assert verdict(send(http, city.a_terminal("culture.library_entry"), entry)) == "ADMITTED"
    assert verdict(paying.result()) == "REPLAYED"
    assert city.states(card) == ["releasing"]
    assert settle() == 1
    assert (city.states(card), bank.account(token)["free_fen"]) == (["released"], 1_000)


def test_a_card_reported_lost_while_the_bank_is_asked_is_not_paid_for(
    city: BankingCity, bank: BankProcess, http: httpx.Client
) -> None:
    card, _ = city.a_customer(bank)
    bank.behave("slow", "hold", slow_s=0.5)
    with sending(http, city.a_terminal(SHOP), a_purchase(city, card)) as paying:
        until(lambda: city.states(card) == ["asked"])
        city.run("UPDATE cards_standing SET card_state = 'lost' WHERE card_id = $1", card.id)
    assert verdict(paying.result()) == "CARD_LOST"
    assert city.states(card) == ["releasing"]


def test_a_price_that_changed_while_the_bank_was_asked_is_not_guessed(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    """Half the price once a day, at two cinemas at once: the second would pay what nobody asked the bank for."""
    card, token = city.a_customer(bank, 1_000)
    bank.behave("slow", "hold", slow_s=0.7)
    with ThreadPoolExecutor(2) as pool:
        sent = pool.map(
            lambda terminal: send(http, terminal, {"item": FILM, "code": a_lasting_code(city, card)}),
            [city.a_terminal(FILM), city.a_terminal(FILM)],
        )
        verdicts = sorted(verdict(each) for each in sent)
    assert verdicts == ["ADMITTED", "BANK_SILENT"]
    assert sorted(city.states(card)) == ["held", "releasing"]
    assert settle() == 2
    assert bank.account(token) == {"balance_fen": 800, "free_fen": 800, "reason": None}


# --- Whatever is killed -----------------------------------------------------------------------------------------------


def killed_between_hold_and_record(
    city: BankingCity, bank: BankProcess, gateway: GatewayProcess, card: Card, shop: Terminal, content: dict[str, Any]
) -> None:
    """The bank has said yes, the second pass waits for the card, the gateway dies."""
    bank.behave("slow", "hold", slow_s=0.5)
    with httpx.Client(base_url=gateway.url, timeout=20) as http, sending(http, shop, content, sequence=1) as paying:
        until(lambda: city.states(card) == ["asked"])
        with psycopg.connect(city.url) as holding:
            holding.execute(f"SELECT FROM cards_standing WHERE card_id = {card.id} FOR UPDATE".encode())
            until(lambda: city.states(card) == ["approved"])
            gateway.kill()
    with pytest.raises(httpx.TransportError):
        paying.result()
    bank.behave("normal")
    gateway.start()


def test_a_gateway_killed_between_hold_and_record_leaves_nothing_held(
    city: BankingCity, bank: BankProcess, gateway: GatewayProcess, settle: Settle
) -> None:
    (card, token), shop = city.a_customer(bank, 1_000), city.a_terminal(SHOP)
    content = a_purchase(city, card)
    killed_between_hold_and_record(city, bank, gateway, card, shop, content)
    assert (settle(), bank.account(token)["free_fen"]) == (0, 800)  # thirty seconds are not over
    city.hurry()
    assert (settle(), city.states(card)) == (1, ["released"])
    assert bank.account(token)["free_fen"] == 1_000
    with httpx.Client(base_url=gateway.url, timeout=20) as http:
        assert verdict(send(http, shop, content, sequence=1)) == "BANK_SILENT"
    assert len(city.orders(card)) == 1


def test_a_line_repeated_after_the_kill_goes_on_with_its_order(
    city: BankingCity, bank: BankProcess, gateway: GatewayProcess
) -> None:
    (card, token), shop = city.a_customer(bank, 1_000), city.a_terminal(SHOP)
    content = a_purchase(city, card)
    killed_between_hold_and_record(city, bank, gateway, card, shop, content)
    with httpx.Client(base_url=gateway.url, timeout=20) as http:
        assert verdict(send(http, shop, content, sequence=1)) == "ADMITTED"
    assert (city.states(card), bank.account(token)["free_fen"]) == (["held"], 800)


def test_a_gateway_killed_while_the_bank_is_asked_is_no_yes_when_the_line_comes_again(
    city: BankingCity, bank: BankProcess, gateway: GatewayProcess, settle: Settle
) -> None:
    (card, token), shop = city.a_customer(bank, 1_000), city.a_terminal(SHOP)
    content = a_purchase(city, card)
    bank.behave("answer_lost", "hold")
    with httpx.Client(base_url=gateway.url, timeout=20) as http, sending(http, shop, content, sequence=1) as paying:
        until(lambda: bank.account(token)["free_fen"] == 800)
        gateway.kill()
    assert paying.exception() is not None
    bank.behave("normal")
    gateway.start()
    assert city.states(card) == ["asked"]
    with httpx.Client(base_url=gateway.url, timeout=20) as http:
        assert verdict(send(http, shop, content, sequence=1)) == "BANK_SILENT"
    assert (settle(), city.states(card), bank.account(token)["free_fen"]) == (1, ["released"], 1_000)


def test_an_order_given_up_before_the_second_pass_takes_no_use(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    """The worker lets go what a slow gateway was about to record: the gateway sees it and says so."""
    card, _ = city.a_customer(bank)
    bank.behave("slow", "hold", slow_s=0.5)
    with sending(http, city.a_terminal(SHOP), a_purchase(city, card)) as paying:
        until(lambda: city.states(card) == ["asked"])
        with psycopg.connect(city.url) as holding:
            holding.execute(f"SELECT FROM cards_standing WHERE card_id = {card.id} FOR UPDATE".encode())
            until(lambda: city.states(card) == ["approved"])
            city.hurry()
            assert settle() == 1
    assert verdict(paying.result()) == "BANK_SILENT"
    assert city.states(card) == ["released"]


def test_captures_wait_for_a_killed_bank(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000)
    assert verdict(send(http, city.a_terminal(SHOP), a_purchase(city, card))) == "ADMITTED"
    bank.kill()
    assert settle() == 0
    assert settle() == 0  # its next try is put off
    assert [(o.state, o.tries) for o in city.orders(card)] == [("held", 1)]
    bank.start()
    city.hurry()
    assert settle() == 1
    assert (city.states(card), bank.account(token)["balance_fen"]) == (["captured"], 800)


def test_a_capture_whose_answer_was_lost_is_repeated_and_books_once(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, token = city.a_customer(bank, 1_000)
    assert verdict(send(http, city.a_terminal(SHOP), a_purchase(city, card))) == "ADMITTED"
    bank.behave("answer_lost", "capture")
    assert (settle(), city.states(card)) == (0, ["held"])
    bank.behave("normal")
    city.hurry()
    assert (settle(), city.states(card)) == (1, ["captured"])
    assert bank.account(token)["balance_fen"] == 800


def test_a_bank_killed_before_it_was_asked_costs_nothing(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    card, _ = city.a_customer(bank)
    bank.kill()
    assert verdict(send(http, city.a_terminal(SHOP), a_purchase(city, card))) == "BANK_SILENT"
    assert settle() == 0
    bank.start()
    city.hurry()
    assert (settle(), city.states(card)) == (1, ["released"])


def test_a_turn_ends_when_the_bank_is_away(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    shop, cards = city.a_terminal(SHOP), [city.a_customer(bank)[0] for _ in range(5)]
    for card in cards:
        assert verdict(send(http, shop, a_purchase(city, card))) == "ADMITTED"
    bank.behave("silent")
    assert settle() == 0
    assert sum(order.tries for card in cards for order in city.orders(card)) == settling.SILENT_MAX


# --- Refunds ----------------------------------------------------------------------------------------------------------


def refund(http: httpx.Client, terminal: Terminal, use: str, sequence: int | None = None) -> httpx.Response:
    return send(http, terminal, {"use": use}, path="/v1/refunds", sequence=sequence)


def test_a_refund_is_given_back_by_the_bank_once(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    (card, token), shop = city.a_customer(bank, 1_000), city.a_terminal(SHOP)
    use = send(http, shop, a_purchase(city, card)).json()["use"]
    assert settle() == 1
    before, sequence = city.by_bank(), shop.next()
    told = [refund(http, shop, use, sequence).json() for _ in range(2)]
    assert [each["repeated"] for each in told] == [False, True]
    assert verdict(refund(http, shop, use)) == "ALREADY_REFUNDED"
    assert city.by_bank() == before - 200
    assert [(o.kind, o.state, o.use) for o in city.orders(card)] == [
        ("payment", "captured", use), ("refund", "due", use)
    ]  # fmt: skip
    bank.behave("answer_lost", "refund")
    assert settle() == 0
    bank.behave("normal")
    city.hurry()
    assert (settle(), city.states(card)) == (1, ["captured", "refunded"])
    assert bank.account(token) == {"balance_fen": 1_000, "free_fen": 1_000, "reason": None}


def test_a_refund_under_the_sequence_of_another_order_is_refused(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    (card, token), shop = city.a_customer(bank, 1_000), city.a_terminal(SHOP)
    use = send(http, shop, a_purchase(city, card)).json()["use"]
    assert settle() == 1
    taken = shop.next()
    city.run(
        "INSERT INTO uses_bank_order (id, kind, terminal_id, journal, sequence, content, card_id, bank_id, token, item,"
        " amount_fen, state, next_try_at) SELECT gen_random_uuid(), 'payment', $1, $2, $3, $4, card_id, bank_id, token,"
        " item, 5, 'asked', now() FROM uses_bank_order WHERE use_id = $5",
        shop.id, shop.journal, taken, b"never recorded", use,
    )  # fmt: skip
    assert verdict(refund(http, shop, use, taken)) == "SEQUENCE_REUSED"
    assert refund(http, shop, use).status_code == 200
    city.hurry()
    settle()
    assert bank.account(token)["balance_fen"] == 1_000


def test_a_refund_waits_for_its_payment(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    (card, token), shop = city.a_customer(bank, 1_000), city.a_terminal(SHOP)
    use = send(http, shop, a_purchase(city, card)).json()["use"]
    assert refund(http, shop, use).status_code == 200
    bank.behave("silent", "capture")
    assert (settle(), city.states(card)) == (0, ["held", "due"])
    bank.behave("normal")
    city.hurry()
    assert (settle(), city.states(card)) == (2, ["captured", "refunded"])
    assert bank.account(token)["balance_fen"] == 1_000


def test_a_refund_of_what_the_purse_paid_asks_no_bank(city: BankingCity, bank: BankProcess, http: httpx.Client) -> None:
    (card, _), ferry = city.a_customer(bank, 1, purse_fen=10_000), city.a_terminal(FERRY)
    use = send(http, ferry, a_ferry(city, card)).json()["use"]
    assert refund(http, ferry, use).status_code == 200
    assert (city.purse_of(card), city.states(card)) == (10_000, ["refused"])


# --- Without a bank ---------------------------------------------------------------------------------------------------


def test_without_a_bank_accounts_are_no_means(
    city: BankingCity,
    bank: BankProcess,
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
) -> None:
    (card, _), (purseless, _) = city.a_customer(bank, purse_fen=10_000), city.a_customer(bank)
    alone = GatewayProcess(environment_for(fresh_database["gateway"]))
    alone.start()
    try:
        with httpx.Client(base_url=alone.url, timeout=20) as http:
            assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, card))) == "ADMITTED"
            assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, purseless))) == "PURSE_MISSING"
    finally:
        alone.stop()
    assert (city.purse_of(card), city.orders(card), city.orders(purseless)) == (9_800, [], [])
