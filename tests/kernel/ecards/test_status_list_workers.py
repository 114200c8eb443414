"""Workers that make status lists, as real processes with their own database role: one killed, two at once."""

import datetime as dt
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from tests import list_worker
from tests.list_worker import made
from tests.small_city import KID, SmallCity

from onecard.foundation import clock
from onecard.kernel.ecards.models import FORMS
from onecard_kit.pack import CARDS, DAYS_OF_CODES, FIXED
from onecard_kit.refs import permutation
from onecard_kit.status_list import Status, from_cwt

pytestmark = pytest.mark.processes

KILLED_AFTER_THE_FIRST_DAY = """
def killed(*told):
    if told[1].day != lists.clock.today():
        os.kill(os.getpid(), 9)
    store(*told)
lists._store = killed
"""
SLOW = """
def slow(*told):
    time.sleep(1)
    store(*told)
lists._store = slow
"""
ADVISORY = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"


Worker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture
def worker(fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]) -> Worker:
    return partial(list_worker.start, environment_for, fresh_database["worker"])


def changed() -> tuple[str, ...]:
    """The lists that are made anew when a card was lost."""
    today = clock.today()
    return today.isoformat(), (today + dt.timedelta(days=1)).isoformat(), CARDS


def lists_of(city: SmallCity) -> dict[tuple[str, str], tuple[int, bytes]]:
    found = city.run("SELECT name, form, number, body FROM ecards_status_list")
    return {(name, form): (number, bytes(body)) for name, form, number, body in found}


def test_the_list_before_stands_when_a_worker_is_killed_while_it_stores(city: SmallCity, worker: Worker) -> None:
    assert made(worker()) == DAYS_OF_CODES + len(FIXED)
    before = lists_of(city)
    card = city.a_card(state="temp_lost")
    killed = worker(KILLED_AFTER_THE_FIRST_DAY)
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert lists_of(city) == before
    assert made(worker()) == len(changed())
    today = clock.today()
    number, body = lists_of(city)[today.isoformat(), "cwt"]
    ref = permutation(city.codes_ring.derive("ref"), today).ref(card.serial)
    assert from_cwt(body, {KID: city.signer.public_key}).status(ref) is Status.SUSPENDED
    assert number == before[today.isoformat(), "cwt"][0] + 1


def test_two_at_once_make_one_list(city: SmallCity, worker: Worker) -> None:
    made(worker())
    before = max(number for number, _ in lists_of(city).values())
    city.a_card(state="locked")
    first = worker(SLOW)
    deadline = time.monotonic() + 30
    while not city.one(ADVISORY):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = worker()
    assert (made(first), made(second)) == (len(changed()), 0)
    newer = {key for key, (number, _) in lists_of(city).items() if number > before}
    assert newer == {(name, form) for name in changed() for form in FORMS}
