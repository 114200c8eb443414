"""``python -m onecard.demo.day GATEWAY FOLDER``: one day of the city, then every use and every fen accounted for.

Runs as the owner of the demo's database. The day itself is played by `onecard_simulators.day`, which is given pockets
and the gateway's address and nothing else.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from onecard.demo import table
from onecard.demo.running import ROOT
from onecard.foundation.errors import OneCardError, Unavailable
from onecard.foundation.money import yuan
from onecard.foundation.postgres import urls
from onecard.foundation.terminal import say, sentence, speaks_chinese

if TYPE_CHECKING:
    from onecard.demo.reckoning import Invariant, Key, Recorded

REPORT = "day.json"
SHOWN_AGAINST = 5
ITEMS = {
    "transit.bus_ride": ("公交乘车", "Bus ride"),
    "culture.library_entry": ("图书馆入馆", "Library entry"),
    "payments.purse_topup": ("钱包充值", "Purse top-up"),
}


def main(gateway: str, folder: Path, uses: int = 3000) -> int:
    """Play a day; 0 only if everything holds."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
    django.setup()
    try:
        return _play(gateway, folder, uses)
    except OneCardError as error:
        print(sentence(error), file=sys.stderr)
        return 2


def _play(gateway: str, folder: Path, uses: int) -> int:
    from onecard.demo import banking, owner, pockets, reckoning

    url, report_path = urls.of_environment(), folder / REPORT
    say("发放手机、卡片与终端配对码", "Handing out phones, cards and pairing codes")
    filled = pockets.fill(url, folder)
    report_path.unlink(missing_ok=True)
    say(f"演示一天：约 {uses:,} 次用卡", f"Playing a day of about {uses:,} uses")
    simulate(gateway, filled, report_path, uses)
    report = _read(report_path)
    with owner.connected(url):
        held = reckoning.recorded(report)
        banked = banking.invariants([each.use for each in held.values()])
        found = [*reckoning.invariants(report, held), *banked, *_checked(url)]
        print(_screen(held, found, report))
    return 1 if any(each.against for each in found) else 0


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
    return "\n".join(
        (
            _first_line(report, zh),
            _uses(reckoning.by_item(held), zh),
            _money(reckoning.money(held), zh),
            _concessions(reckoning.concessions(held), zh),
            _invariants(found, zh),
        )
    )


def _first_line(report: Mapping[str, Any], zh: bool) -> str:
    uses, requests = f"{len(report['uses']):,}", f"{report['requests']:,}"
    took = f"{report['ended_at'] - report['started_at']:.0f}"
    if zh:
        return f"\n  {uses} 次用卡，{requests} 次请求，历时 {took} 秒，答复中位数 {report['p50_ms']} 毫秒\n"
    return f"\n  {uses} uses, {requests} requests in {took} s, median answer {report['p50_ms']} ms\n"


def _uses(lines: Sequence[tuple[str, str, int, int]], zh: bool) -> str:
    title = "用卡：按应用项目与结果" if zh else "Uses by item and verdict"
    head = ("应用项目", "结果", "次数", "实付（元）") if zh else ("item", "verdict", "uses", "paid (yuan)")
    cells = [(_item(item, zh), verdict, f"{count:,}", yuan(fen)) for item, verdict, count, fen in lines]
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


def _concessions(lines: Sequence[tuple[Any, ...]], zh: bool) -> str:
    title = "优惠减免：按承担单位（已扣除退款）" if zh else "Concessions by who bears them (refunds taken off)"
    head = (
        ("承担单位", "应用项目", "人群类别", "次数", "金额（元）")
        if zh
        else ("borne by", "item", "class", "uses", "yuan")
    )
    cells = [(line[0] if zh else line[1], _item(line[2], zh), line[3], f"{line[4]:,}", yuan(line[5])) for line in lines]
    return table.text(title, head, cells)


def _item(code: str, zh: bool) -> str:
    return ITEMS.get(code, (code, code))[0 if zh else 1]


def _invariants(found: "Sequence[Invariant]", zh: bool) -> str:
    lines = ["  不变量" if zh else "  Invariants"]
    for each in found:
        lines.append(f"    {'FAILED' if each.against else 'ok':6}  {each.zh if zh else each.en}")
        lines += [f"            {text}" for text in each.against[:SHOWN_AGAINST]]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])))
