"""Live web processes under their own database roles, and a browser that notes everything it should not see."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# A passkey's device in the browser, which knows its owner.
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
# What is wider than the box that hides the rest of it. A list to choose from is drawn by the browser.
CUT = """() => [...document.querySelectorAll("body *")]
  .filter((node) => node.innerText && !node.closest(".sr, select") && getComputedStyle(node).overflowX === "hidden"
    && node.scrollWidth > node.clientWidth + 1)
  .map((node) => node.innerText.replace(/\\s+/g, " ").slice(0, 80))"""
CHROMIUM = os.environ.get("ONECARD_CHROMIUM", "/usr/bin/chromium")


@dataclass
class Live:
    """Two processes and who lives in their database."""

    public: str
    staff: str
    known: dict[str, Any]


@dataclass
class Watched:
    """A page and what went wrong on it: console errors (a CSP violation is one), script errors, outside requests."""

    page: Page
    home: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on(
            "console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._note_outside)

    def _note_outside(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:")):
            self.wrong.append(f"outside request: {request.url}")

    def go(self, path: str) -> None:
        self.page.goto(self.home + path, wait_until="load")

    def faults(self, *, without: tuple[str, ...] | None = ()) -> list[str]:
        """What a person would trip over on the page as it stands, and what was noted on the way. `without`: rules of
        axe that are not asked; None asks none.
        """
        told = [] if without is None else self._broken(without)
        if (over := self.page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            told.append(f"scrolls sideways by {over}px")
        told += [f"cuts off {text}" for text in self.page.evaluate(CUT)]
        noted, self.wrong = self.wrong, []
        return told + noted

    def _broken(self, without: tuple[str, ...]) -> list[str]:
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(AXE + ";0")
        rules = {rule: {"enabled": False} for rule in without}
        asked = json.dumps({"resultTypes": ["violations"], "runOnly": RULES, "rules": rules})
        found = self.page.evaluate(f"axe.run(document, {asked})")
        return [f"axe {fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in found["violations"]]


@pytest.fixture(scope="module")
def live(
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    known = people(environment_for(fresh_database["owner"]))
    more = {"ONECARD_STATIC": str(tmp_path_factory.mktemp("static"))}
    processes = ("public", "staff")
    environments = {process: environment_for(fresh_database[process]) | more for process in processes}
    with serving(environments) as addresses:
        yield Live(addresses["public"], addresses["staff"], known)


@contextmanager
def serving(environments: dict[str, dict[str, str]]) -> Iterator[dict[str, str]]:
    """Web processes of a demo, each in its environment; their addresses."""
    running = []
    addresses = {}
    try:
        for process, environment in environments.items():
            running.append(start(process, environment | {"ONECARD_DEMO": "1"}, port := free_port()))
            addresses[process] = f"http://localhost:{port}"
        for address in addresses.values():
            wait_for(address + "/health")
        yield addresses
    finally:
        for process_running in running:
            process_running.terminate()
        for process_running in running:
            process_running.wait(timeout=20)


def people(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Settle the people of `city.py` in the environment's database; what it tells of them."""
    root = Path(__file__).resolve().parents[3]
    path = os.pathsep.join((str(root / "src"), str(root)))
    done = subprocess.run(
        [sys.executable, "-m", "tests.foundation.web.city", *arguments],
        cwd=root,
        env={**environment, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "onecard.settings.owner"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def start(process: str, environment: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    environment = {**environment, "DJANGO_SETTINGS_MODULE": f"onecard.settings.{process}"}
    where = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", *where, f"onecard.urls.{process}:application"]
    return subprocess.Popen(command, env=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(address: str) -> None:
    """Patient: another suite may be using the machine."""
    for _ in range(600):
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


def watched(context: BrowserContext, home: str) -> Watched:
    return Watched(context.new_page(), home)
