"""Two hundred gates for two days, with lines, power, clocks and disks that fail: every admission is on the platform
once, every double use is found, money is conserved.

``TESTS_TWO_DAYS`` makes it so many times as long a queue at the gates, ``TESTS_SEED`` plays another one.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.gateway.process import GatewayProcess
from tests.reliability.clockwork import CLOCK, ClockFile
from tests.reliability.coast import Coast
from tests.reliability.oracle import Came, Shown
from tests.reliability.simulation import Simulation, Size

from onecard.check import running as check

pytestmark = pytest.mark.processes

CHECKS = {
    "BALANCES", "LEDGERS", "HOLDS", "USE_TRANSFERS", "REFUNDS", "JOURNEYS", "NONCES", "JOURNAL_KEYS", "OFFLINE_LINES",
    "QUOTAS", "CAPACITIES", "PASSES", "RISKS", "PARTITIONS",
}  # fmt: skip
TOLERANCE_MS = 31_000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the gates' disks are: in memory where there is room for them, since they are lost anyway."""
    in_memory = Path("/dev/shm")
    with TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def played(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]], folder: Path
) -> Iterator[Simulation]:
    clock, coast = ClockFile(folder / "clock"), Coast(fresh_database["owner"])
    times = float(os.environ.get("TESTS_TWO_DAYS", "1"))
    environment = environment_for(fresh_database["gateway"])
    environment |= {CLOCK: str(folder / "clock"), "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{ROOT}"}
    gateway = GatewayProcess(environment, workers=2, application="tests.reliability.clockwork:application")
    size = Size(presentations=int(Size().presentations * times))
    made = Simulation(coast, gateway.url, clock, folder, int(os.environ.get("TESTS_SEED", "4")), size)
    umask = os.umask(0o077)  # as the gate's program sets it
    with pytest.MonkeyPatch.context() as patch:
        made.hall.install(patch)
        made.build()
        made.clock.set(made.begins_ms)
        gateway.start()
        try:
            made.run()
        finally:
            gateway.stop()
            os.umask(umask)
        yield made
    coast.connection.close()


def test_everything_that_can_fail_did(played: Simulation) -> None:
    assert played.happened.keys() >= {
        "online", "offline", "power cuts", "lines torn", "answers lost", "uploads", "uploads cut off",
        "uploads mixed up", "uploads twice", "uploads twice at once", "uploads replayed later",
        "uploads without an answer", "disks restored",
    }  # fmt: skip
    ours = Counter(came.ours for came in played.oracle.came.values() if came.ours is not None)
    assert ours.keys() >= {"ADMITTED", "REPLAYED", "CARD_LOST", "QUOTA_EXHAUSTED", "FUNDS_SHORT"}, ours
    assert {came.borne_by for came in played.oracle.came.values()} >= {
        "holder",
        "operator",
        "platform",
        "treasury.city",
    }


def test_each_presentation_is_one_use_and_each_double_use_is_found(played: Simulation) -> None:
    recorded = _recorded(played.coast)
    assert [n for n in recorded.values() if len(n) != 1] == []
    assert _differences(played.oracle.came, {key: came for key, [(came, _)] in recorded.items()}) == []


def test_nobody_was_let_in_of_whom_nothing_is_known(played: Simulation) -> None:
    missing = [each for each in played.shown.values() if each.opened and each.key not in played.oracle.came]
    assert [each for each in missing if not each.destroyed] == []


def test_each_use_has_its_true_time_and_clocks_that_were_off_are_marked(played: Simulation) -> None:
    for key, [(_, (at_ms, correction_s))] in _recorded(played.coast).items():
        shown = played.shown[key]
        assert abs(at_ms - shown.at_ms) <= TOLERANCE_MS, shown
        if correction_s is not None:
            assert (correction_s != 0) == _is_off(shown), (shown, correction_s)


def test_money_is_conserved(
    played: Simulation, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    coast, oracle = played.coast, played.oracle
    owed = {holder: fen for holder, fen in oracle.debts.items() if fen}
    assert (coast.purses(), coast.owed()) == (oracle.purses, owed)
    treasury = coast.balance(coast.treasury, "treasury.city", "treasury")
    others = (coast.balance(coast.operator, "operator.receivable"), coast.balance(coast.library, "platform.shortfall"))
    assert (*others, treasury) == tuple(oracle.others[who] for who in ("operator", "platform", "treasury"))
    with django_db_blocker.unblock():
        found = check.run(fresh_database["owner"])
    assert [each.plain() for each in found if each.code in CHECKS and not each.ok] == []


def _recorded(coast: Coast) -> dict[tuple[int, int, bytes], list[tuple[Came, tuple[int, int | None]]]]:
    """The uses there are by what was presented, as the oracle tells of them; with their time and its correction."""
    found: dict[tuple[int, int, bytes], list[tuple[Came, tuple[int, int | None]]]] = {}
    for (
        terminal,
        sequence,
        content,
        verdict,
        paid,
        ours,
        double,
        lacks,
        by,
        stood,
        at_ms,
        correction,
        back,
    ) in coast.run(
        "SELECT k.terminal_id, k.sequence, k.content, u.verdict, u.paid_fen, l.verdict, coalesce(l.double, false),"
        " coalesce(l.shortfall_fen, 0), l.borne_by, l.stood_paid_fen, (extract(epoch FROM u.at) * 1000)::bigint,"
        " l.correction_s, r.use_id IS NOT NULL FROM uses_journal_key k JOIN uses_use u ON u.id = k.use_id"
        " LEFT JOIN uses_offline_line l ON l.use_id = u.id LEFT JOIN uses_refund r ON r.use_id = u.id"
        " WHERE u.item <> 'payments.purse_topup'"
    ):
        came = Came(verdict, paid if stood is None else stood, ours, double, lacks, by, back)
        found.setdefault((terminal, sequence, bytes(content)), []).append((came, (at_ms, correction)))
    return found


def _differences(
    expected: dict[tuple[int, int, bytes], Came], found: dict[tuple[int, int, bytes], Came]
) -> list[tuple[Came | None, Came | None]]:
    """What should be and what is, where they differ. A gate has many reasons to refuse, the oracle tells of none."""
    both = []
    for key in expected.keys() | found.keys():
        should, does = expected.get(key), found.get(key)
        if should is not None and does is not None and should.verdict == "REFUSED" and does.verdict != "ADMITTED":
            does.verdict, does.ours = "REFUSED", should.ours
        both.append((should, does))
    return [(should, does) for should, does in both if should != does]


def _is_off(shown: Shown) -> bool:
    return not shown.shifts and abs(shown.error_ms) > 30_000
