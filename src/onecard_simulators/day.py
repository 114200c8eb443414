"""One synthetic day of the city, played through the gateway and compared with what was to be expected.

    python -m onecard_simulators.day --gateway URL --pockets FILE --terms FOLDER --report FILE
                                     [--bank URL] [--uses 7000] [--seed N]

First the day is planned (`rhythm`), then it is played hour by hour, as fast as the gateway answers: residents ride,
eat, learn, see doctors and buy, by code and by card, many at once; answers get lost and lines are repeated; thieves
replay (`incidents`). Each resident does one thing at a time and knows by the published terms what to expect next; some
are inside somewhere when the day begins, and leave in its course. The report (JSON, mode 600) names every acknowledged
use. Exit code 0 only if every answer was the expected one and none stayed out.
"""

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from onecard_simulators import incidents, rhythm
from onecard_simulators.resident import Begun, Pass, Place, Resident, Ride
from onecard_simulators.rhythm import Step
from onecard_simulators.tariff import Terms
from onecard_simulators.visits import Day, Doors, Holder
from onecard_simulators.wire import BankDesk, Chip, Gateway, Json

CONNECTIONS = 24
SURPRISES_TOLD = 20
BAR = 50


async def play(gateway_url: str, bank_url: str | None, pockets: Json, terms: Terms, uses: int, seed: int) -> Json:
    """Play a day and return its report."""
    gateway, bank = Gateway(gateway_url, CONNECTIONS), BankDesk(bank_url) if bank_url else None
    started = time.time()
    try:
        terminals = await asyncio.gather(*(gateway.pair(each) for each in pockets["terminals"]))
        day = Day(
            gateway, terms, _places(pockets), _doors(pockets), pockets["days"], list(terminals), _holders(pockets),
            pockets, random.Random(seed), bank,
        )  # fmt: skip
        hours = await _run(day, uses, seed)
    finally:
        gateway.close()
        if bank is not None:
            bank.close()
    return _report(day, started, hours)


async def _run(day: Day, uses: int, seed: int) -> Counter[int]:
    """Incidents run beside the day; how many visits each of its hours had."""
    trouble = [asyncio.create_task(each(day)) for each in incidents.INCIDENTS]
    await asyncio.sleep(0)  # incidents call their people away first
    people = day.holders
    city = rhythm.City(people, day.places, day.doors, day.terms, day.now())
    planned = rhythm.plan(city, uses, random.Random(seed))
    hours = Counter(step.minute // 60 for step in planned)
    for hour in sorted(hours):
        days = _by_person(step for step in planned if step.minute // 60 == hour)
        await asyncio.gather(*(_go(day, people[who], steps) for who, steps in days.items()))
        print(f"    {hour:02}:00  {hours[hour]:5}  {'▇' * round(hours[hour] * BAR / max(hours.values()))}", flush=True)
    await asyncio.gather(*trouble)
    return hours


def _by_person(steps: Iterable[Step]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for step in steps:
        found.setdefault(step.who, []).append(step)
    return found


async def _go(day: Day, holder: Holder, steps: Sequence[Step]) -> None:
    """An hour of somebody's day, one visit after the other. Who did not get in does not tap out."""
    for step in steps:
        if not holder.resident.sure or (step.leg == "out" and step.item not in holder.resident.journeys):
            continue
        terminal = day.terminal(step.item, point=step.point)
        visit = await day.visit(holder, step.item, terminal=terminal, amount_fen=step.amount_fen, leg=step.leg)
        if step.back and visit is not None and visit.admitted and visit.outcome is not None:
            await day.refund(holder, visit)


# --- From the pockets -------------------------------------------------------------------------------------------------


def _places(pockets: Json) -> dict[str, Place]:
    return {
        each["code"]: Place(
            each["code"], each["division"], tuple(each["offers"]), tuple(each["hours"]), tuple(each["media"])
        )
        for each in pockets["points"]
    }


def _doors(pockets: Json) -> dict[tuple[str, str], Doors]:
    """Where only so many are taken, and how many went in already."""
    return {
        (point["code"], item): Doors(offer["most"], offer["entered"])
        for point in pockets["points"]
        for item, offer in point["offers"].items()
        if offer["most"] is not None
    }


def _holders(pockets: Json) -> list[Holder]:
    phones = [Holder(_resident(each), token=each["token"], account=each["account"]) for each in pockets["phones"]]
    chips = [
        Holder(
            _resident(each),
            chip=Chip(each["number"], bytes.fromhex(each["key"]), each["counter"]),
            account=each["account"],
        )
        for each in pockets["chips"]
    ]
    return phones + chips


def _resident(known: Json) -> Resident:
    return Resident(
        known["kind"],
        known["card_state"],
        known["functions"],
        known["place"],
        [(code, begins, ends) for code, begins, ends in known["classes"]],
        known["balance_fen"],
        known["room_fen"],
        used={(rule, first_day): used for rule, first_day, used in known["used"]},
        passes=[_pass(each) for each in known["passes"]],
        journeys={each["item"]: _begun(each) for each in known["journeys"]},
        rides=[Ride(each["use"], each["item"], each["at"], each["at"]) for each in known["rides"]],
        orders={item: tuple(means) for item, means in known["orders"].items()},
    )


def _pass(known: Json) -> Pass:
    starts_on = known["starts_on"] and dt.date.fromisoformat(known["starts_on"])
    activate_by = dt.date.fromisoformat(known["activate_by"])
    in_use = int(starts_on is not None)  # by uses that this day does not give back
    return Pass(known["item"], activate_by, known["lasts_days"], starts_on, known["uses_left"], in_use)


def _begun(known: Json) -> Begun:
    return Begun(known["use"], known["point"], known["concession"], known["held_fen"], known["at"], known["at"])


# --- The report -------------------------------------------------------------------------------------------------------


def _report(day: Day, started: float, hours: Counter[int]) -> Json:
    waits = sorted(day.gateway.waits_ms) or [0.0]
    return {
        "started_at": started,
        "ended_at": time.time(),
        "requests": len(day.gateway.waits_ms),
        "p50_ms": round(waits[len(waits) // 2], 1),
        "p99_ms": round(waits[len(waits) * 99 // 100], 1),
        "kind": day.now().kind,
        "hours": dict(sorted(hours.items())),
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
    parser.add_argument("--bank", help="http://localhost:8803; without it nobody looks up an account")
    parser.add_argument("--pockets", required=True, type=Path)
    parser.add_argument("--terms", required=True, type=Path, help="the folder of published item files")
    parser.add_argument("--report", required=True, type=Path)
    parser.add_argument("--uses", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    chosen = parser.parse_args(argv)
    pockets: Json = json.loads(chosen.pockets.read_text(encoding="utf-8"))
    terms = Terms.read(chosen.terms)
    report = asyncio.run(play(chosen.gateway, chosen.bank, pockets, terms, chosen.uses, chosen.seed))
    write(chosen.report, {"seed": chosen.seed, **report})
    for text in report["surprises"][:SURPRISES_TOLD]:
        print(f"surprise: {text}", file=sys.stderr)
    return 1 if report["surprises"] or report["unanswered"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
