"""A gate runs in 128 MB: the lists of ten million e-cards, a long journal, a camera, and a sync meanwhile."""

import os
import random
import time
from pathlib import Path

import pytest
import segno
from tests.gate.process import a_gate, run, told, until
from tests.gate.stand_in import JOURNAL, KEY, a_platform
from tests.kit.packs import a_code

from onecard_kit import requests
from onecard_kit.journal import JournalLine
from onecard_kit.journal_file import JournalFile
from onecard_kit.status_list import Status, compress, pack

pytestmark = pytest.mark.processes

BYTES_MAX = 128 << 20
E_CARDS = 1 << 24
MARKED = 100_000
LINES = 5_000


def packed(seed: int) -> bytes:
    """Every serial that a node can have; one in a hundred of ten million e-cards is marked."""
    drawn = random.Random(seed)
    marked = {drawn.randrange(E_CARDS): Status.SUSPENDED for _ in range(MARKED)}
    marked.pop(77, None)
    return compress(pack(E_CARDS, marked.items()))


def fill(folder: Path) -> None:
    """Days without a line, at a busy gate."""
    (folder / "journals").mkdir(parents=True)
    file = JournalFile.open(folder / "journals", JOURNAL, {7: (KEY, requests.HMAC_SHA256)})
    code, fsync = a_code(), os.fsync
    os.fsync = lambda _: None  # type: ignore[assignment]  # what is written here need survive nothing
    try:
        for sequence in range(1, LINES + 1):
            line = JournalLine(
                sequence=sequence, at_ms=1_767_225_600_000, shift_ms=0, key_id=7, item="transit.bus_ride", code=code,
                verdict="ADMITTED", paid_fen=200,
            )  # fmt: skip
            file.append(line)
    finally:
        os.fsync = fsync
    file.close()


def test_a_gate_runs_in_128_megabytes(tmp_path: Path) -> None:
    folder, frame = tmp_path / "gate", tmp_path / "frame.png"
    with a_platform() as platform:
        platform.packed = packed(1)
        folder.mkdir(mode=0o700)
        fill(folder)
        for path in folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        run(folder, "pair", platform.url, "TRYTHECARD")
        (folder / "gate.toml").write_text(f"sync_every_s = 1\n[camera]\nfile = '{frame}'\n")
        with a_gate(folder) as gate:
            for _ in range(20):
                assert gate.present(a_code(at=int(time.time())))["admitted"]
            segno.make(a_code(at=int(time.time())), error="m").save(str(frame), scale=8)
            assert gate.results.get(timeout=60)["admitted"]
            until(lambda: platform.through.get(JOURNAL, -1) >= LINES, "the journal is uploaded")
            platform.packed = packed(2)
            asked = len(platform.paths)
            until(lambda: len(platform.paths) > asked + 20, "new lists are fetched beside the old ones")
            platform.mood = "reset"
            for _ in range(20):
                assert gate.present(a_code(at=int(time.time())))["admitted"]
            assert gate.peak_bytes() < BYTES_MAX, f"{gate.peak_bytes() >> 20} MB"
    assert told(folder, "show", "--json")[0]["lines"][0]["lines"] >= LINES
