"""``python -m onecard.demo.day GATEWAY FOLDER``: one day of the city, then every use and every fen accounted for.

Runs as the owner of the demo's database. The day itself is played by `onecard_simulators.day`, which is given pockets,
the published item files, the addresses of gateway and bank, and nothing else.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from onecard import scenarios
from onecard.demo import table
from onecard.demo.running import ROOT
from onecard.foundation.errors import OneCardError, Unavailable
from onecard.foundation.money import yuan
from onecard.foundation.postgres import urls
from onecard.foundation.terminal import say, sentence, speaks_chinese
from onecard_kit.reasons import FUNDERS

if TYPE_CHECKING:
    from onecard.demo.reckoning import Invariant, Key, Recorded

REPORT = "day.json"
SHOWN_AGAINST = 5
# How often each of the residents who are out uses a card, all in all.
USES_EACH = 4.5
KINDS = {"working": ("工作日", "a working day"), "weekend": ("周末", "a weekend"), "holiday": ("节假日", "a holiday")}
Names = Mapping[str, str]
"""What items are called, by code, in the language of the terminal."""


def main(gateway: str, folder: Path, uses: int | None = None) -> int:
    """Play a day; 0 only if everything holds. `uses` is about how many; by default by the size of the city."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
    django.setup()
    try:
        return _play(gateway, folder, uses)
    except OneCardError as error:
        print(sentence(error), file=sys.stderr)
        return 2


def _play(gateway: str, folder: Path, uses: int | None) -> int:
    from onecard.demo import banking, owner, pockets, reckoning

    url, report_path = urls.of_environment(), folder / REPORT
    say("发放手机、卡片与终端配对码", "Handing out phones, cards and pairing codes")
    filled = pockets.fill(url, folder)
    report_path.unlink(missing_ok=True)
    uses = uses or round(_people(filled) * USES_EACH)
    say(
        f"演示一天：约 {uses:,} 次用卡；以下按计划的钟点，不分钟点连续进行",
        f"Playing a day of about {uses:,} uses; below by the hour they are planned for, played without a pause",
    )
    simulate(gateway, filled, report_path, uses)
    report = _read(report_path)
    with owner.connected(url):
        held = reckoning.recorded(report)
        banked = banking.invariants([each.use for each in held.values()])
        found = [*reckoning.invariants(report, held), *banked, *_checked(url)]
        print(_screen(held, found, report))
    return 1 if any(each.against for each in found) else 0


def _people(filled: Path) -> int:
    pockets = json.loads(filled.read_text(encoding="utf-8"))
    return len(pockets["phones"]) + len(pockets["chips"])


def _read(report_path: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(report_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unavailable(
            "DAY_NOT_PLAYED",
            "这一天没有演完，原因见上。",
            "The day was not played to its end; the reason is above.",
            next_zh="请确认示范城市正在运行后重试。",
            next_en="See that the demo runs, then try again.",
        ) from None
    return report


def simulate(gateway: str, pockets: Path, report: Path, uses: int) -> None:
    """Let strangers play: a process that knows none of our secrets and imports none of our code."""
    told = {name: value for name, value in os.environ.items() if not name.startswith("ONECARD_")}
    argv = ["--gateway", gateway, "--pockets", str(pockets), "--report", str(report), "--uses", str(uses)]
    argv += ["--terms", str(scenarios.FOLDER)]
    if bank := os.environ.get("ONECARD_BANK_URL"):
        argv += ["--bank", bank]
    subprocess.run(
        [sys.executable, "-m", "onecard_simulators.day", *argv],
        env={**told, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
    )


def _checked(url: str) -> "list[Invariant]":
    """What ``onecard check`` finds, in the words it uses."""
    from onecard import check
    from onecard.demo.reckoning import Invariant

    return [
        Invariant(each.zh, each.en, () if each.ok else (*each.lines, json.dumps(each.numbers)))
        for each in check.run(url)
    ]


def _screen(held: "Mapping[Key, Recorded]", found: "Sequence[Invariant]", report: Mapping[str, Any]) -> str:
    """Everything on one screen, in the language of the terminal."""
    from onecard.demo import reckoning

    zh = speaks_chinese()
    names = {item.code: item.zh if zh else item.en for item in reckoning.items()}
    borne = reckoning.concessions(held)
    return "\n".join(
        (
            _first_line(report, zh),
            _uses(reckoning.by_item(held), names, zh),
            _money(reckoning.money(held), zh),
            _funders(borne, zh),
            _concessions(borne, names, zh),
            _invariants(found, zh),
        )
    )


def _first_line(report: Mapping[str, Any], zh: bool) -> str:
    uses, requests = f"{len(report['uses']):,}", f"{report['requests']:,}"
    took = f"{report['ended_at'] - report['started_at']:.0f}"
    kind, p50 = KINDS[report["kind"]][0 if zh else 1], report["p50_ms"]
    if zh:
        return f"\n  {kind}：{uses} 次用卡，{requests} 次请求，历时 {took} 秒，答复中位数 {p50} 毫秒\n"
    return f"\n  {uses} uses of {kind}, {requests} requests in {took} s, median answer {p50} ms\n"


def _uses(lines: Sequence[tuple[str, str, int, int]], names: Names, zh: bool) -> str:
    title = "用卡：按应用项目与结果" if zh else "Uses by item and verdict"
    head = ("应用项目", "结果", "次数", "实付（元）") if zh else ("item", "verdict", "uses", "paid (yuan)")
    cells = [(names.get(item, item), verdict, f"{count:,}", yuan(fen)) for item, verdict, count, fen in lines]
    return table.text(title, head, cells)


def _money(lines: Sequence[tuple[Any, ...]], zh: bool) -> str:
    title = "资金：按账户（贷方为正）" if zh else "Money by account (credit is plus)"
    head = (
        ("单位", "账户", "账本", "当日（元）", "余额（元）")
        if zh
        else ("party", "account", "ledger", "day (yuan)", "balance")
    )
    cells = [(line[0] if zh else line[1], line[2], line[3], yuan(line[4]), yuan(line[5])) for line in lines]
    return table.text(title, head, cells)


def _funders(lines: Sequence[tuple[Any, ...]], zh: bool) -> str:
    """What each kind of funder bears, together."""
    title = "优惠减免：按承担方式合计" if zh else "Concessions by kind of funder"
    head = ("承担方式", "次数", "金额（元）") if zh else ("borne by", "uses", "yuan")
    cells = []
    for role, names in FUNDERS.items():
        own = [line for line in lines if line[0] == role]
        count, fen = sum(line[5] for line in own), sum(line[6] for line in own)
        cells.append((names[0 if zh else 1], f"{count:,}", yuan(fen)))
    return table.text(title, head, cells)


def _concessions(lines: Sequence[tuple[Any, ...]], names: Names, zh: bool) -> str:
    title = "优惠减免：按承担单位（已扣除退款）" if zh else "Concessions by who bears them (refunds taken off)"
    head = (
        ("承担单位", "应用项目", "优惠", "次数", "金额（元）")
        if zh
        else ("borne by", "item", "concession", "uses", "yuan")
    )
    change = "换乘、当日封顶" if zh else "change, day's cap"
    cells = [
        (line[1] if zh else line[2], names.get(line[3], line[3]), line[4] or change, f"{line[5]:,}", yuan(line[6]))
        for line in lines
    ]
    return table.text(title, head, cells)


def _invariants(found: "Sequence[Invariant]", zh: bool) -> str:
    lines = ["  不变量" if zh else "  Invariants"]
    for each in found:
        lines.append(f"    {'FAILED' if each.against else 'ok':6}  {each.zh if zh else each.en}")
        lines += [f"            {text}" for text in each.against[:SHOWN_AGAINST]]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])))
