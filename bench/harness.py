"""What benchmarks share: a cluster of their own, pgbench as the limit, interleaved rounds, CPU accounts, one JSON form.

A figure is never a bare time: it is a rate divided by the rate of a limit measured in turns with it on the same
machine.
"""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import psycopg

from onecard.foundation.postgres import urls
from onecard.foundation.postgres.embedded import EmbeddedPostgres
from onecard.gateway.services import PLANNING

ROUNDS = 3
SECONDS = 6


@dataclass(frozen=True)
class Sample:
    """One round of one side: operations a second, CPU microseconds an operation, latencies where they were taken."""

    per_second: float
    cpu_us: float
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True)
class Figure:
    """One line of the report. `ratio` is measured over limit; higher is better."""

    name: str
    measured: float
    limit: float
    ratio: float
    better: str
    cpu_us_per_op: float
    p50_ms: float | None
    p99_ms: float | None
    conditions: dict[str, object]


@contextmanager
def a_cluster() -> Iterator[tuple[str, EmbeddedPostgres]]:
    """A fresh cluster with full durability, and its superuser's address; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="onecard-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "postgres") as cluster:
            yield cluster.url, cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pgbench(
    cluster: EmbeddedPostgres, url: str, script: str | None, *, clients: int, seconds: int = SECONDS, per_run: int = 1
) -> Sample:
    """Run pgbench (prepared protocol); operations are transactions times `per_run`. Without a script: tpcb-like."""
    address = urls.parse(url)
    # The limit plans as the gateway does.
    options = " ".join(f"-c {name}={value}" for name, value in PLANNING.items())
    environment = {**os.environ, "PGPASSWORD": address.password, "PGOPTIONS": options}
    command = [
        str(cluster.binary("pgbench")), "-h", address.host, "-p", str(address.port or 5432), "-U", address.role, "-n",
        "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds),
    ]  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        if script is not None:
            file.write(script)
            file.flush()
            command += ["-f", file.name]
        before = server_cpu_s(cluster)
        done = subprocess.run([*command, address.name], env=environment, capture_output=True, text=True, check=False)
        spent_s = server_cpu_s(cluster) - before
    if done.returncode or "failed" in done.stderr:
        raise RuntimeError(done.stderr[-2000:])
    tps = float(next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps")))
    latency = float(next(line.split()[3] for line in done.stdout.splitlines() if line.startswith("latency average")))
    operations = tps * per_run
    return Sample(operations, spent_s / (operations * seconds) * 1e6, latency, None)


def initialise_tpcb(cluster: EmbeddedPostgres, url: str, scale: int = 20) -> None:
    """pgbench's own tables."""
    address = urls.parse(url)
    environment = {**os.environ, "PGPASSWORD": address.password}
    command = [str(cluster.binary("pgbench")), "-h", address.host, "-p", str(address.port or 5432), "-U", address.role]
    subprocess.run(
        [*command, "-i", "-q", "-s", str(scale), address.name], env=environment, capture_output=True, check=True
    )


def server_cpu_s(cluster: EmbeddedPostgres) -> float:
    """CPU seconds of the server so far. The postmaster's account holds its ended children's, too."""
    postmaster = int((cluster.pgdata / "postmaster.pid").read_text().split()[0])
    return tree_cpu_s(postmaster)


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process, its living descendants, and the ended ones it has waited for."""
    total = 0.0
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def interleave(
    name: str, measure: Callable[[], Sample], limit: Callable[[], Sample], rounds: int, **conditions: object
) -> Figure:
    """Measure and limit in turns; the median of each, and of the ratios round by round."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(limit())
        ours.append(measure())
    told = {"rounds": rounds, "limit_cpu_us": round(statistics.median(t.cpu_us for t in theirs), 1), **conditions}
    ratio = statistics.median(o.per_second / t.per_second for o, t in zip(ours, theirs, strict=True))
    return Figure(
        name=name,
        measured=round(statistics.median(o.per_second for o in ours), 1),
        limit=round(statistics.median(t.per_second for t in theirs), 1),
        ratio=round(ratio, 3),
        better="higher",
        cpu_us_per_op=round(statistics.median(o.cpu_us for o in ours), 1),
        p50_ms=_median([o.p50_ms for o in ours]),
        p99_ms=_median([o.p99_ms for o in ours]),
        conditions={**machine(), **told},
    )


def _median(values: Sequence[float | None]) -> float | None:
    taken = [value for value in values if value is not None]
    return round(statistics.median(taken), 2) if taken else None


def machine() -> dict[str, object]:
    """What the figures depend on."""
    return {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 2), "fsync": "on"}


def server_version(url: str) -> str:
    with psycopg.connect(url) as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]


def report(figures: Sequence[Figure], as_json: bool) -> None:
    """Print the figures: JSON for machines, a table for people."""
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures], ensure_ascii=False, indent=2))
        return
    print(f"{'name':<18}{'measured/s':>12}{'limit/s':>12}{'ratio':>8}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for f in figures:
        print(
            f"{f.name:<18}{f.measured:>12.0f}{f.limit:>12.0f}{f.ratio:>8.2f}{f.cpu_us_per_op:>9.0f}"
            f"{f.p50_ms or 0:>9.2f}{f.p99_ms or 0:>9.2f}"
        )
