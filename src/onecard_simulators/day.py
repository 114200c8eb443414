"""One synthetic day of the city, played through the gateway and compared with what was to be expected.

    python -m onecard_simulators.day --gateway URL --pockets FILE --report FILE [--uses 3000] [--seed N]

Residents ride, enter libraries and top up, by code and by card, many at once; answers get lost and lines are repeated;
thieves replay. Each resident does one thing at a time and knows what to expect next. The report (JSON, mode 600) names
every acknowledged use. Exit code 0 only if every answer was the expected one and none stayed out.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path

from onecard_simulators import incidents
from onecard_simulators.tariff import Resident
from onecard_simulators.visits import Day, Holder
from onecard_simulators.wire import Chip, Gateway, Json

CONNECTIONS = 24
SURPRISES_TOLD = 20


async def play(gateway_url: str, pockets: Json, uses: int, seed: int) -> Json:
    """Play a day and return its report."""
    gateway = Gateway(gateway_url, CONNECTIONS)
    started = time.time()
    try:
        terminals = await asyncio.gather(*(gateway.pair(each) for each in pockets["terminals"]))
        day = Day(gateway, list(terminals), _holders(pockets), pockets, random.Random(seed), uses)
        await _run(day)
    finally:
        gateway.close()
    return _report(day, started)


async def _run(day: Day) -> None:
    trouble = [asyncio.create_task(each(day)) for each in incidents.INCIDENTS]
    await asyncio.sleep(0)  # incidents call their people away first
    crowd, day.holders = day.holders, []
    day.rng.shuffle(crowd)
    await asyncio.gather(*trouble, *(day.go_about(holder) for holder in crowd))


def _holders(pockets: Json) -> list[Holder]:
    phones = [Holder(_resident(each), token=each["token"]) for each in pockets["phones"]]
    chips = [
        Holder(_resident(each), chip=Chip(each["number"], bytes.fromhex(each["key"]), each["counter"]))
        for each in pockets["chips"]
    ]
    return phones + chips


def _resident(known: Json) -> Resident:
    return Resident(
        known["kind"],
        known["card_state"],
        known["functions"],
        [(code, begins, ends) for code, begins, ends in known["classes"]],
        known["balance_fen"],
        known["room_fen"],
        dict(known["used"]),
    )


def _report(day: Day, started: float) -> Json:
    waits = sorted(day.gateway.waits_ms) or [0.0]
    return {
        "started_at": started,
        "ended_at": time.time(),
        "requests": len(day.gateway.waits_ms),
        "p50_ms": round(waits[len(waits) // 2], 1),
        "p99_ms": round(waits[len(waits) * 99 // 100], 1),
        "journals": [{"terminal": each.code, "journal": each.journal} for each in day.terminals],
        "uses": list(day.uses.values()),
        "refunds": day.refunds,
        "unanswered": day.unanswered,
        "surprises": day.surprises,
        "happened": dict(sorted((day.happened + day.gateway.counts).items())),
    }


def write(path: Path, report: Json) -> None:
    """Write the report, whole or not at all, for its owner's eyes."""
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=1)
    partial.replace(path)


def main(argv: list[str] | None = None) -> int:
    """Play, report, and say what surprised."""
    parser = argparse.ArgumentParser(prog="onecard_simulators.day", description="One synthetic day of the city")
    parser.add_argument("--gateway", required=True, help="http://localhost:8802")
    parser.add_argument("--pockets", required=True, type=Path)
    parser.add_argument("--report", required=True, type=Path)
    parser.add_argument("--uses", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    chosen = parser.parse_args(argv)
    pockets: Json = json.loads(chosen.pockets.read_text(encoding="utf-8"))
    report = asyncio.run(play(chosen.gateway, pockets, chosen.uses, chosen.seed))
    write(chosen.report, {"seed": chosen.seed, **report})
    for text in report["surprises"][:SURPRISES_TOLD]:
        print(f"surprise: {text}", file=sys.stderr)
    return 1 if report["surprises"] or report["unanswered"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
