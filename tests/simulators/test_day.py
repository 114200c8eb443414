"""A day of a small city against a real gateway: every answer as expected, every use and every fen accounted for."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.bank_process import a_bank
from tests.gateway.process import a_gateway

from onecard import scenarios
from onecard.demo import city, owner, pockets, reckoning
from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows
from onecard.kernel.uses import risks

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
USES = 600
HALL = "culture.sports_hall_visit"
Report = dict[str, Any]


def silent(zh: str, en: str = "", /) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def url(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock():
        city.load(fresh_database["owner"], 1500, 7, silent)
        yield fresh_database["owner"]


@pytest.fixture(scope="module")
def days(
    url: str,
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Report]:
    """Two days in a row, through two processes of the gateway."""
    folder = tmp_path_factory.mktemp("days")
    with (
        a_bank(folder) as bank,
        a_gateway(
            lambda url: {**environment_for(url), **bank.callers_environment}, fresh_database["gateway"], workers=2
        ) as gateway,
    ):
        return [play(url, gateway.url, bank.url, folder, seed) for seed in (1, 2)]


def play(url: str, gateway: str, bank: str, folder: Path, seed: int) -> Report:
    filled = pockets.fill(url, folder, seed=seed)
    report = folder / f"day{seed}.json"
    argv = ["--gateway", gateway, "--pockets", str(filled), "--report", str(report), "--uses", str(USES)]
    argv += ["--bank", bank, "--terms", str(scenarios.FOLDER), "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "onecard_simulators.day", *argv],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: Report = json.loads(report.read_text())
    return told


def against(url: str, report: Report) -> list[str]:
    """The invariants that do not hold."""
    with owner.connected(url):
        return [each.en for each in reckoning.invariants(report, reckoning.recorded(report)) if each.against]


def test_two_days_are_played_and_accounted_for(url: str, days: list[Report]) -> None:
    for report in days:
        assert len(report["uses"]) >= USES
        assert report["surprises"] == report["unanswered"] == []
        assert against(url, report) == []


def test_who_leaves_the_sports_hall_after_an_hour_pays_and_who_looks_in_does_not(url: str, days: list[Report]) -> None:
    for report in days:
        left = [use for use in report["uses"] if use["item"] == HALL and use["verdict"] == "ADMITTED"]
        paid = {use["use"]: use["paid_fen"] for use in left if use["held_fen"] is None}
        assert sum(paid.values()) >= 3_000
        assert {0, 1_000, 2_000, 3_000} & set(paid.values()) > {0}
    with owner.connected(url):
        stays = rows(
            "SELECT extract(epoch FROM ended_at - at) / 60 FROM uses_journey WHERE item = $1 AND ended_by IS NOT NULL",
            HALL,
        )
    hours = [minutes > 60 for (minutes,) in stays if minutes > 10]
    assert sum(hours) > len(hours) / 2


def test_everything_that_goes_wrong_in_a_city_went_wrong(days: list[Report]) -> None:
    verdicts = {use["verdict"] for report in days for use in report["uses"]}
    assert verdicts >= {
        "ADMITTED", "REPLAYED", "CRYPTOGRAM_INVALID", "CODE_EXPIRED", "CODE_NOT_YET_VALID", "CODE_MALFORMED",
        "SIGNATURE_INVALID", "CARD_LOST", "CARD_LOCKED", "CARD_INACTIVE", "CARD_CANCELLED", "FUNCTION_INACTIVE",
        "FUNDS_SHORT", "PURSE_FULL", "ITEM_UNKNOWN", "ITEM_NOT_OFFERED", "AMOUNT_INVALID", "LEGALLY_EXCLUDED",
        "NOT_ENTITLED", "MEDIUM_NOT_ACCEPTED", "NO_JOURNEY", "LEG_INVALID", "QUOTA_EXHAUSTED", "CAPACITY_FULL",
        "BANK_REFUSED", "NOT_ATTENDED", "NUMBER_MALFORMED", "NUMBER_UNKNOWN", "NUMBER_LIMITED",
    }  # fmt: skip
    happened = set().union(*(report["happened"] for report in days))
    assert happened >= {
        "refused TERMINAL_SIGNATURE_INVALID", "refused TERMINAL_CLOCK_OFF", "refused SEQUENCE_REUSED",
        "refused USE_UNKNOWN", "refused ALREADY_REFUNDED", "refused PAIRING_CODE_INVALID", "refused JOURNEY_NOT_ENDED",
        "refused PASS_IN_USE", "journey left open", "phone refused", "repeated", "hung up",
    }  # fmt: skip


def test_what_somebody_should_look_at_was_found(url: str, days: list[Report]) -> None:
    """Copied chips at once; numbers that were tried and a card in two towns when somebody looks back."""
    with owner.connected(url):
        raised = risks.look_back(clock.now())
        found = dict(rows("SELECT kind, count(*)::int FROM audit_risk_fact GROUP BY kind"))
        again = risks.look_back(clock.now())
    assert found.keys() >= {"chip_replayed", "chip_cryptogram_invalid", "two_places", "number_misses_terminal"}
    assert found["two_places"] <= 2 * len(days)  # whoever was called away, and perhaps a traveller
    assert (raised >= found["two_places"] + found["number_misses_terminal"], again) == (True, 0)


def test_money_sums_to_nothing_in_each_ledger(url: str, days: list[Report]) -> None:
    for report in days:
        with owner.connected(url):
            lines = reckoning.money(reckoning.recorded(report))
        for ledger in ("purse", "treasury", "bank"):
            assert sum(line[4] for line in lines if line[3] == ledger) == 0
            assert sum(line[5] for line in lines if line[3] == ledger) == 0


def one_that_stands(report: Report) -> dict[str, Any]:
    """A use of which it is known what it did to a purse, and that was not given back."""
    back = {each["use"] for each in report["refunds"]}
    return next(each for each in report["uses"] if each["purse_fen"] not in (None, 1) and each["use"] not in back)


def one_admitted(report: Report) -> dict[str, Any]:
    """A use that was admitted; the first of a day may be of somebody who is entitled to nothing."""
    return next(each for each in report["uses"] if each["verdict"] == "ADMITTED")


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (
            lambda report: one_admitted(report).update(verdict="NOT_ENTITLED"),
            "Each answered use stands once, as answered",
        ),
        (lambda report: report["uses"][0].update(paid_fen=1), "Each answered use stands once, as answered"),
        (lambda report: one_that_stands(report).update(purse_fen=1), "Purses moved by what residents reckoned"),
        (lambda report: report["uses"].pop(), "Nothing is recorded that no terminal sent"),
        (lambda report: report["refunds"].pop(), "Each refund stands once, as answered"),
        (lambda report: report["surprises"].append("a surprise"), "Every answer was the expected one"),
    ],
)
def test_a_report_that_differs_is_found(
    url: str, days: list[Report], tamper: Callable[[Report], object], found: str
) -> None:
    report = copy.deepcopy(days[0])
    tamper(report)
    assert against(url, report) == [found]
