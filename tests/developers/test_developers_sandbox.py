"""The sandbox: the page's commands run as they stand, a trial really happens, and elsewhere nothing is lent."""

import hashlib
import html
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings
from tests.gateway.process import GatewayProcess, a_gateway
from tests.small_city import PLACE, SmallCity

pytestmark = [pytest.mark.django_db, pytest.mark.processes]
COMMAND = re.compile(r'<pre tabindex="0" class="command">(.*?)</pre>', re.DOTALL)
BUS = "transit.bus_ride"


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def gateway(
    city: SmallCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[GatewayProcess]:
    with a_gateway(environment_for, fresh_database["gateway"]) as running:
        yield running


def a_phone(city: SmallCity, name: str, **card: Any) -> dict[str, Any]:
    """A test holder of the sandbox, in its file's words; the token is the name."""
    city.enrol(city.a_card(**card), hashlib.sha256(name.encode()).digest())
    return {"name": name, "said": {"zh": "测试持卡人", "en": "A test holder"}, "token": name}


@pytest.fixture(scope="module")
def written(city: SmallCity, gateway: GatewayProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a sandbox."""
    trial, waiting = city.a_terminal(), city.a_terminal()
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 hour')",
        hashlib.sha256(b"PAIRINGDEV").digest(), waiting.id,
    )  # fmt: skip
    told = {
        "gateway": gateway.url,
        "trial": {
            "terminal": trial.code, "key_id": trial.key_id, "key": trial.key.hex(), "algorithm": trial.mac.name,
            "journal": str(uuid4()),
        },
        "terminals": [{"terminal": waiting.code, "pairing_code": "PAIRINGDEV"}],
        "holders": [
            a_phone(city, "rich"),
            a_phone(city, "poor", purse_fen=10),
            a_phone(city, "careless", state="temp_lost"),
        ],
        "items": [{"code": BUS, "said": {"zh": "公交乘车", "en": "Bus ride"}}],
    }  # fmt: skip
    path = tmp_path_factory.mktemp("sandbox") / "sandbox.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


@pytest.fixture
def sandbox(written: Path, public_face: None) -> Iterator[Path]:
    """The node is a demo and lends it."""
    with override_settings(ONECARD_DEMO=True, ONECARD_SANDBOX=str(written)):
        yield written


def commands(page: str) -> list[str]:
    return [html.unescape(found) for found in COMMAND.findall(page)]


def test_the_commands_of_the_page_run_as_they_stand(sandbox: Path, city: SmallCity) -> None:
    page = Client().get("/dev/start").content.decode()
    parts = commands(page)
    assert len(parts) == 6
    script = "\n".join(["set -euo pipefail", *parts])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    paired, code, *answers = done.stdout.split("\n", 2)
    assert json.loads(paired)["terminal"] == json.loads(sandbox.read_text())["terminals"][0]["terminal"]
    assert code.startswith("OC1.")
    told = list(documents(answers[0]))
    use, steps, refund = told
    assert (use["admitted"], use["price"]["paid_fen"]) == (True, 190)
    assert steps[0]["outcome"] == "passed"
    assert refund["use"] == use["use"]
    assert city.one("SELECT count(*) FROM uses_refund WHERE use_id = $1", use["use"]) == 1


def documents(text: str) -> Iterator[Any]:
    """The JSON values that stand one after another in a text."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, length = decoder.raw_decode(text[at:])
        yield value
        at += length


def attempt(holder: str, language: str = "zh", item: str = BUS) -> Any:
    client = Client()
    client.get("/dev/try", {"lang": language})
    return client.post("/dev/try", {"holder": holder, "item": item})


def test_a_trial_is_a_use_with_its_explanation(sandbox: Path, city: SmallCity) -> None:
    before = city.one("SELECT count(*) FROM uses_use")
    page = attempt("rich").content.decode()
    assert city.one("SELECT count(*) FROM uses_use") == before + 1
    for words in ("通过", "卡片状态", "OneCard-Signature: ", "&#34;admitted&#34;", "/v1/explanations", "/v1/refunds"):
        assert words in page, words
    again = attempt("rich").content.decode()
    assert "<code>ADMITTED</code>" in again


def test_a_trial_leaves_the_sandbox_as_it_was(sandbox: Path, city: SmallCity) -> None:
    """Else whoever tries often leaves the others a holder without money."""
    kept = "SELECT account_id, free_fen FROM ledger_balance ORDER BY account_id"
    before = city.run(kept)
    assert "<code>ADMITTED</code>" in attempt("rich").content.decode()
    assert city.run(kept) == before


def test_who_tries_again_and_again_is_asked_to_wait(sandbox: Path, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "sandbox_try": "1/m/ip"}
    visitor = Client(REMOTE_ADDR="192.0.2.77")
    first, second = (visitor.post("/dev/try", {"holder": "rich", "item": BUS}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 422)
    assert "尝试次数过多" in second.content.decode()


def test_the_start_page_gives_not_everybody_the_same_terminal(sandbox: Path, tmp_path: Path) -> None:
    told = json.loads(sandbox.read_text())
    told["terminals"] = [{"terminal": f"T-{n}", "pairing_code": f"CODE{n:06}"} for n in range(10)]
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(told))
    with override_settings(ONECARD_SANDBOX=str(path)):
        given = {commands(Client().get("/dev/start").content.decode())[0] for _ in range(20)}
        chosen = {commands(Client().get("/dev/start", {"terminal": "T-3"}).content.decode())[0] for _ in range(5)}
    assert len(given) > 1
    assert len(chosen) == 1
    assert "CODE000003" in chosen.pop()


def test_a_trial_says_what_to_do_after_a_refusal(sandbox: Path) -> None:
    assert "<code>FUNDS_SHORT</code> 请充值后再用。" in attempt("poor").content.decode()
    english = attempt("poor", "en").content.decode()
    assert "<code>FUNDS_SHORT</code> Top up and try again." in english
    lost = attempt("careless").content.decode()
    assert "<code>CARD_NOT_ACTIVE</code>" in lost
    assert "/v1/uses" not in lost.split('<aside class="dx"')[1]


def test_what_is_not_lent_is_refused(sandbox: Path) -> None:
    for holder, item in (("somebody", BUS), ("rich", "payments.purse_topup"), ("", "")):
        response = attempt(holder, item=item)
        assert response.status_code == 422
        assert "summary" in response.content.decode()
    page = Client().get("/dev/start", {"terminal": "T-X", "holder": "<script>", "item": "x"}).content.decode()
    assert "PAIRINGDEV" in page
    assert "&lt;script&gt;" not in page


def test_a_trial_takes_a_form_of_this_page(sandbox: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/dev/try", {"holder": "rich", "item": BUS}).status_code == 403


def test_a_gateway_that_is_away_is_said_so(sandbox: Path, tmp_path: Path) -> None:
    told = json.loads(sandbox.read_text()) | {"gateway": "http://127.0.0.1:9"}
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(told))
    with override_settings(ONECARD_SANDBOX=str(path)):
        response = attempt("rich")
    assert response.status_code == 503
    assert "网关没有答复。" in response.content.decode()


@pytest.mark.parametrize("demo", [True, False])
def test_a_node_without_a_sandbox_lends_nothing(sandbox: Path, demo: bool) -> None:
    with override_settings(ONECARD_DEMO=demo, ONECARD_SANDBOX="" if demo else str(sandbox)):
        assert Client().get("/dev/try").status_code == 404
        assert attempt("rich").status_code == 404
        page = Client().get("/dev/start").content.decode()
    assert commands(page) == ["./onecard demo"]
    assert PLACE not in page
    assert "rich" not in page
