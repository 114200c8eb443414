"""A bank that is silent again and again is left alone for a while: nobody waits for it, and nothing is lost by that."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.bank_process import BankProcess
from tests.connectors.bank.banking_city import FERRY, SHOP, BankingCity, Settle, a_ferry, a_purchase, until
from tests.gateway.process import send, verdict
from tests.small_city import Card

from onecard.gateway.silence import SILENT_MAX

pytestmark = [pytest.mark.processes, pytest.mark.database, pytest.mark.usefixtures("all_is_conserved")]


def told(http: httpx.Client) -> dict[str, Any]:
    """What the gateway says of the bank."""
    found: dict[str, Any] = http.get("/health").json()["bank"]
    return found


def silent_lines(city: BankingCity, bank: BankProcess, http: httpx.Client, count: int) -> list[Card]:
    """So many purchases at once, of which the bank says nothing; their cards."""
    cards = [city.a_customer(bank, 1_000)[0] for _ in range(count)]
    shop = city.a_terminal(SHOP)
    with ThreadPoolExecutor(count) as pool:
        verdicts = list(pool.map(lambda card: verdict(send(http, shop, a_purchase(city, card))), cards))
    assert verdicts == ["BANK_SILENT"] * count
    return cards


def test_a_silent_bank_rests_and_one_line_finds_out_that_it_is_back(
    city: BankingCity, bank: BankProcess, http: httpx.Client, settle: Settle
) -> None:
    (earlier, token), shop, before = city.a_customer(bank, 1_000), city.a_terminal(SHOP), told(http)
    content, sequence = a_purchase(city, earlier), shop.next()
    paid = send(http, shop, content, sequence=sequence).json()
    bank.behave("answer_lost", "hold")
    asked = silent_lines(city, bank, http, SILENT_MAX)
    assert told(http) == {
        "resting": True, "silences": before["silences"] + SILENT_MAX, "rests": before["rests"] + 1,
    }  # fmt: skip

    # Nobody asks it any more: the next means pays, or the line is refused with what is so. What it said before stands.
    (with_purse, _), (without, _) = city.a_customer(bank, purse_fen=1_000), city.a_customer(bank)
    assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, with_purse))) == "ADMITTED"
    assert verdict(send(http, shop, a_purchase(city, without))) == "BANK_SILENT"
    assert (city.purse_of(with_purse), city.orders(with_purse), city.orders(without)) == (800, [], [])
    again = send(http, shop, content, sequence=sequence).json()
    assert (again["verdict"]["code"], again["use"], again["repeated"]) == ("ADMITTED", paid["use"], True)

    # It answers again, and one line finds out; what it was asked before is let go, and what it had said is captured.
    bank.behave("normal")
    assert settle() == SILENT_MAX + 1
    assert [city.states(card) for card in asked] == [["released"]] * SILENT_MAX
    assert (city.states(earlier), bank.account(token)["balance_fen"]) == (["captured"], 800)
    until(lambda: not told(http)["resting"])
    card, _ = city.a_customer(bank)
    assert verdict(send(http, shop, a_purchase(city, card))) == "ADMITTED"
    assert city.states(card) == ["held"]
    assert told(http)["rests"] == before["rests"] + 1


def test_after_a_rest_one_line_at_a_time_asks_a_bank_that_is_still_silent(
    city: BankingCity, bank: BankProcess, http: httpx.Client
) -> None:
    bank.behave("silent", "hold")
    silent_lines(city, bank, http, SILENT_MAX)
    rests = told(http)["rests"]
    until(lambda: not told(http)["resting"])
    cards = silent_lines(city, bank, http, 6)
    assert sorted(len(city.orders(card)) for card in cards) == [0] * 5 + [1]
    assert told(http)["rests"] == rests + 1
    until(lambda: not told(http)["resting"])


def test_a_refusal_is_an_answer(city: BankingCity, bank: BankProcess, http: httpx.Client) -> None:
    shop = city.a_terminal(SHOP)
    for _ in range(2):
        silent_before = told(http)["silences"]
        bank.behave("down", "hold")
        silent_lines(city, bank, http, SILENT_MAX - 1)
        bank.behave("normal")
        poor, _ = city.a_customer(bank, 1)
        assert verdict(send(http, shop, a_purchase(city, poor))) == "BANK_REFUSED"
        assert told(http)["silences"] == silent_before + SILENT_MAX - 1
    assert not told(http)["resting"]
