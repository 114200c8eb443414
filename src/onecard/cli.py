"""The command line: each command is one row that names the function it calls, imported only when it is called.

A function takes the parsed arguments and returns an exit code. A OneCardError becomes one sentence and its remedy, in
Chinese or English by the locale's language, and exit code 2.
"""

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from onecard.foundation.errors import NotFound, OneCardError
from onecard.foundation.terminal import sentence

ROOT = Path(__file__).resolve().parents[2]
DEMO_PORT = 8800
DEMO_HOLDERS = 20_000


class Argument(NamedTuple):
    """An argument as argparse takes it."""

    names: tuple[str, ...]
    options: dict[str, object]


def argument(*names: str, **options: object) -> Argument:
    """``argument("--json", action="store_true")``."""
    return Argument(names, options)


class Command(NamedTuple):
    """One command: its words, what it is for, ``module:function`` that runs it, its arguments, its Django settings."""

    words: str
    zh: str
    en: str
    runs: str
    arguments: tuple[Argument, ...] = ()
    settings: str = ""


OWNER = "onecard.settings.owner"
REASON = argument("reason", help="原因，记入审计 / why, kept in the audit trail")
CATALOGUE = "onecard.kernel.catalogue.command"
USES = "onecard.kernel.uses.command"
CLIENTS = "onecard.kernel.sharing.command"
CLIENT = argument("client", help="接入系统代码 / the client's code")
RING = argument("ring", help="密钥环 / keyring: identity, codes, terminals")
WHY = argument("--reason", required=True, help="原因，记入审计 / why, kept in the audit trail")
CODE = argument("code", help="项目代码 / the item's code")
VERSION = argument("version", type=int, help="版本 / version")
POINT = argument("point", help="用卡点代码 / the point's code")
KID = argument("kid", help="密钥编号 / the key's id, four hex digits")
PURPOSE = argument(
    "--purpose",
    choices=("codes", "lasting"),
    default="codes",
    help="用途：二维码，或长效的纸质码与卡文件 / codes, or what lasts: paper codes and card files",
)
OFFICER = argument(
    "--officer",
    help="以此工作人员身份办理，输入密码和验证码 / act as this officer, who gives password and authenticator code",
)
JSON = argument("--json", action="store_true", help="机器可读 / machine-readable")

COMMANDS = (
    Command(
        "demo",
        "运行示范城市",
        "run the demo city",
        "onecard.demo.command:run",
        (
            argument(
                "--data-dir",
                type=Path,
                help="数据目录，另见 ONECARD_DATA_DIR / its data; see ONECARD_DATA_DIR",
            ),
            argument("--port", type=int, default=DEMO_PORT, help="居民端口，其后六个也会使用 / and the six after it"),
            argument("--holders", type=int, default=DEMO_HOLDERS, help="持卡人数 / how many holders"),
            argument("--day", action="store_true", help="演一天并核对 / play one day and check it"),
        ),
    ),
    Command("test", "运行测试", "run the tests", "onecard.cli:run_tests"),
    Command(
        "bench",
        "测量性能",
        "measure",
        "onecard.cli:run_bench",
        (
            argument("name"),
            argument("--holders", type=int, help="pages：持卡人数 / pages: how many holders"),
            argument("--uses", type=int, help="pages：用卡笔数 / pages: how many uses"),
            JSON,
        ),
    ),
    Command("check", "核对数据与账目", "check data and money", "onecard.check.command:run", (JSON,), OWNER),
    Command(
        "db roles",
        "建立数据库与角色",
        "make the database and its roles",
        "onecard.demo.database:run_roles",
        (
            argument("--print", action="store_true", help="只打印 SQL / print the SQL only"),
            argument("--name", default="onecard", help="数据库名 / the database's name"),
            argument("--out", type=Path, help="地址写入此文件 / file for the addresses"),
        ),
    ),
    Command("db migrate", "建表并授权", "make the tables and grants", "onecard.demo.database:run_migrate", (), OWNER),
    Command("worker", "运行后台任务", "run the jobs", "onecard.demo.worker:run", (), "onecard.settings.worker"),
    Command(
        "keys create",
        "建立密钥",
        "make missing keys",
        "onecard.demo.database:run_keys",
        (argument("folder", type=Path),),
    ),
    Command(
        "keys rotate",
        "更换密钥并重新加密",
        "seal a ring's values under a new key, while everybody works",
        "onecard.demo.resealing:rotate",
        (
            RING,
            argument("--batch", type=int, default=500, help="每批行数 / rows a batch"),
            argument("--prepare", action="store_true", help="只加入待用的密钥 / only add a key that waits"),
        ),
        OWNER,
    ),
    Command(
        "keys retire",
        "移除已不使用的旧密钥",
        "forget old keys that nothing is sealed under",
        "onecard.demo.resealing:retire",
        (RING,),
        OWNER,
    ),
    Command(
        "keys rotate-issuer",
        "更换签发密钥",
        "rotate the key that signs codes",
        "onecard.kernel.ecards.command:rotate",
        (PURPOSE,),
        OWNER,
    ),
    Command(
        "keys rotate-refs",
        "更换当日编号的密钥",
        "rotate the key behind the refs in codes and lists",
        "onecard.kernel.ecards.command:rotate_refs",
        (),
        OWNER,
    ),
    Command(
        "keys withdraw-issuer",
        "吊销泄露的签发密钥",
        "withdraw a stolen issuer key; of what lasts it takes two officers",
        "onecard.kernel.ecards.command:withdraw",
        (
            KID,
            REASON,
            OFFICER,
            argument("--approver", help="另一名工作人员复核，同样输入 / a second officer, who gives both, too"),
        ),
        OWNER,
    ),
    Command(
        "keys affected",
        "列出因密钥吊销而失效的纸质码与卡文件",
        "list the paper codes and card files that a key's withdrawal voids",
        "onecard.kernel.ecards.command:affected",
        (KID,),
        OWNER,
    ),
    Command(
        "keys drill",
        "演练签发密钥失窃",
        "practise the loss of an issuer key on the one that stands by",
        "onecard.kernel.ecards.command:drill",
        (PURPOSE, argument("--gateway", help="网关地址，一并核对 / the gateway's address, to be checked, too")),
        OWNER,
    ),
    Command(
        "catalogue load",
        "载入应用目录",
        "load the catalogue",
        "onecard.scenarios.command:run",
        (
            argument("folder", type=Path, nargs="?"),
            argument("--dry-run", action="store_true", help="只显示差异 / show the difference only"),
            argument("--publish", action="store_true", help="首次启用时直接发布 / publish too, for a first set-up"),
            OFFICER,
        ),
        OWNER,
    ),
    Command(
        "catalogue list",
        "列出某地的应用项目",
        "list the items of a place",
        f"{CATALOGUE}:show_list",
        (
            argument("--place", default="320600", help="行政区划代码 / division (GB/T 2260)"),
            argument("--day", type=dt.date.fromisoformat, help="日期，默认今天 / day, today by default"),
            argument("--field", default="", help="领域 / field"),
            argument("--level", default="", help="层级 / level"),
            argument("--kind", default="", help="basic, extended"),
            argument("--text", default="", help="查找 / words to find"),
        ),
        OWNER,
    ),
    Command("catalogue history", "列出项目的版本", "list an item's versions", f"{CATALOGUE}:history", (CODE,), OWNER),
    Command(
        "catalogue difference",
        "比较两个版本",
        "compare two versions",
        f"{CATALOGUE}:show_difference",
        (CODE, VERSION, argument("compared_with", type=int, nargs="?", help="默认前一版 / the one before it")),
        OWNER,
    ),
    Command("catalogue submit", "送审", "put up for review", f"{CATALOGUE}:submit", (CODE, VERSION, OFFICER), OWNER),
    Command(
        "catalogue send-back",
        "退回",
        "send back to draft",
        f"{CATALOGUE}:send_back",
        (CODE, VERSION, REASON, OFFICER),
        OWNER,
    ),
    Command(
        "catalogue publish",
        "发布",
        "publish",
        f"{CATALOGUE}:publish",
        (
            CODE,
            VERSION,
            argument("--decided", nargs=3, metavar=("ZH", "EN", "DAY"), help="由谁、何日决定 / who decided, and when"),
            OFFICER,
        ),
        OWNER,
    ),
    Command(
        "catalogue end",
        "终止",
        "end from a day",
        f"{CATALOGUE}:end",
        (CODE, VERSION, argument("day", type=dt.date.fromisoformat, help="YYYY-MM-DD"), REASON, OFFICER),
        OWNER,
    ),
    Command(
        "catalogue offer",
        "在用卡点开通项目",
        "have a point offer an item",
        f"{CATALOGUE}:offer",
        (POINT, CODE, argument("--capacity", type=int, help="本点容量 / capacity here"), OFFICER),
        OWNER,
    ),
    Command(
        "catalogue stop-offering",
        "在用卡点停办项目",
        "have a point offer an item no more",
        f"{CATALOGUE}:stop_offering",
        (POINT, CODE, REASON, OFFICER),
        OWNER,
    ),
    Command(
        "catalogue hours",
        "设定用卡点开放时间",
        "set a point's hours",
        f"{CATALOGUE}:set_hours",
        (POINT, argument("hours", help="JSON"), OFFICER),
        OWNER,
    ),
    Command(
        "catalogue position",
        "设定用卡点在地图上的位置",
        "set where a point stands on the map",
        f"{CATALOGUE}:set_position",
        (
            POINT,
            argument(
                "degrees", type=float, nargs="*", help="纬度 经度，不填为没有 / latitude and longitude; none: nowhere"
            ),
            OFFICER,
        ),
        OWNER,
    ),
    Command(
        "catalogue demonstration-points",
        "按区县统计示范点",
        "count demonstration points by county",
        f"{CATALOGUE}:count_demonstration_points",
        (argument("place", nargs="?", default="", help="行政区划代码前缀 / prefix of divisions"),),
        OWNER,
    ),
    Command(
        "holders rewrite-classes",
        "按规则重写人群类别",
        "write everybody's classes anew after a change of rules",
        "onecard.kernel.holders.command:run",
        (),
        OWNER,
    ),
    Command(
        "explain use",
        "说明一笔用卡的判定",
        "explain why a use came to what it did",
        f"{USES}:explain_use",
        (argument("use", type=UUID, help="用卡编号 / the use's id"), WHY, OFFICER, JSON),
        OWNER,
    ),
    Command(
        "explain what-if",
        "说明假如用卡会怎样",
        "explain what would become of a use",
        f"{USES}:explain_what_if",
        (
            argument("--card", help="卡号 / the card's number"),
            argument("--holder", type=int, help="或持卡人编号 / or the holder's id"),
            argument("--item", required=True, help="项目代码 / the item's code"),
            argument("--point", required=True, help="用卡点代码 / the point's code"),
            argument("--at", help="时间，默认现在 / moment in ISO 8601, now by default"),
            argument("--medium", choices=("code", "card"), help="出示方式 / medium"),
            argument("--amount-fen", type=int, help="金额（分）/ amount in fen"),
            argument("--leg", choices=("in", "out"), help="进或出 / way in or out"),
            WHY,
            OFFICER,
            JSON,
        ),
        OWNER,
    ),
    Command(
        "clients show",
        "列出接入系统，或其协议与凭据",
        "list the clients, or one's agreements and credentials",
        f"{CLIENTS}:show",
        (argument("client", nargs="?", help="接入系统代码 / the client's code"),),
        OWNER,
    ),
    Command(
        "clients agree",
        "签订共享协议",
        "agree on scopes with a client",
        f"{CLIENTS}:agree",
        (
            CLIENT,
            argument("scopes", nargs="+", help="授权项 / scopes"),
            argument("--purpose", nargs=2, metavar=("ZH", "EN"), required=True, help="用途 / purpose"),
            argument("--basis", required=True, help="法规依据代码 / the legal basis's code"),
            argument("--until", type=dt.date.fromisoformat, required=True, help="终止日 / YYYY-MM-DD"),
            argument("--per-minute", type=int, help="每分钟限额 / requests a minute"),
            OFFICER,
        ),
        OWNER,
    ),
    Command(
        "clients end-agreement",
        "终止共享协议",
        "end what is agreed about a scope",
        f"{CLIENTS}:end_agreement",
        (CLIENT, argument("scope", help="授权项 / scope"), REASON, OFFICER),
        OWNER,
    ),
    Command(
        "clients give-credential",
        "发放接入凭据",
        "give a client a further credential",
        f"{CLIENTS}:give_credential",
        (CLIENT, OFFICER),
        OWNER,
    ),
    Command(
        "clients rotate-credential",
        "更换接入凭据",
        "give a new credential; those before it stay good for some days",
        f"{CLIENTS}:rotate_credential",
        (CLIENT, argument("--overlap-days", type=int, default=7, help="并行天数 / days of overlap"), OFFICER),
        OWNER,
    ),
    Command(
        "clients add-endpoint",
        "登记消息接收地址",
        "file where a client takes messages; prints the key that signs them",
        f"{CLIENTS}:add_endpoint",
        (CLIENT, argument("url", help="https://…"), argument("kinds", nargs="+", help="消息种类 / kinds"), OFFICER),
        OWNER,
    ),
    Command(
        "clients endpoint-requests",
        "列出等待审核的接收地址",
        "list endpoints that clients asked for and nobody has looked at",
        f"{CLIENTS}:show_endpoint_requests",
        (),
        OWNER,
    ),
    Command(
        "clients accept-endpoint",
        "登记接入系统申请的接收地址",
        "file an endpoint that a client asked for",
        f"{CLIENTS}:accept_endpoint",
        (argument("request", type=int, help="申请编号 / id of the request"), OFFICER),
        OWNER,
    ),
    Command(
        "clients decline-endpoint",
        "不予登记接入系统申请的接收地址",
        "decline an endpoint that a client asked for",
        f"{CLIENTS}:decline_endpoint",
        (argument("request", type=int, help="申请编号 / id of the request"), REASON, OFFICER),
        OWNER,
    ),
    Command(
        "clients end-endpoint",
        "停用消息接收地址",
        "send nothing to an endpoint any more",
        f"{CLIENTS}:end_endpoint",
        (argument("endpoint", type=int, help="编号 / its id"), REASON, OFFICER),
        OWNER,
    ),
    Command(
        "clients withdraw-credential",
        "注销接入凭据",
        "withdraw a credential at once",
        f"{CLIENTS}:withdraw_credential",
        (argument("credential", help="凭据标识 / the credential's id"), REASON, OFFICER),
        OWNER,
    ),
    Command(
        "terminals pair",
        "发放终端配对码",
        "give a terminal its pairing code",
        f"{CATALOGUE}:pair",
        (argument("code", help="终端编号 / the terminal's code"),),
        OWNER,
    ),
    Command(
        "staff reset-second-factor",
        "重置遗失的第二步验证",
        "reset an officer's lost second factor",
        "onecard.kernel.staff.command:reset_second_factor",
        (argument("username", help="用户名 / the user name"), REASON),
        OWNER,
    ),
)
# pytest has its own arguments, which are passed on unread.
UNREAD = {"test"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. 2 is a refusal in words, 130 an interrupt."""
    arguments, rest = _parser().parse_known_args(argv)
    command: Command = arguments.command
    if rest and command.words not in UNREAD:
        _parser().error(f"{command.words}: {' '.join(rest)}?")
    arguments.rest = rest
    try:
        _prepare(command)
        return function_of(command)(arguments)
    except OneCardError as error:
        print(sentence(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def function_of(command: Command) -> Callable[[argparse.Namespace], int]:
    """The function a command names."""
    module, name = command.runs.split(":")
    found: Callable[[argparse.Namespace], int] = getattr(import_module(module), name)
    return found


def _prepare(command: Command) -> None:
    """Django for the commands that name settings; a database address from the running demo where none was given.

    Those of the owner find out here that the database is away, in one sentence; the worker waits for it.
    """
    if not command.settings:
        return
    from onecard.demo import running
    from onecard.foundation.postgres import roles, urls

    running.lend_environment()
    url = urls.of_environment()
    if command.settings == OWNER:
        roles.connect(url).close()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", command.settings)
    import django

    django.setup()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="onecard", description="OneCard 一卡通", allow_abbrev=False)
    first = parser.add_subparsers(metavar="COMMAND", required=True)
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in COMMANDS:
        group, _, word = command.words.rpartition(" ")
        if group and group not in groups:
            members = " · ".join(each.words for each in COMMANDS if each.words.startswith(group + " "))
            groups[group] = first.add_parser(group, help=members).add_subparsers(metavar="COMMAND", required=True)
        _add(groups[group] if group else first, word, command)
    return parser


def _add(place: "argparse._SubParsersAction[argparse.ArgumentParser]", word: str, command: Command) -> None:
    text = f"{command.zh} / {command.en}"
    parser = place.add_parser(word, help=text, description=text, allow_abbrev=False)
    for each in command.arguments:
        parser.add_argument(*each.names, **each.options)  # type: ignore[arg-type]
    parser.set_defaults(command=command)


# A test file is one worker's, with a PostgreSQL of its own; more workers than this fight for the machine's memory.
AT_ONCE = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile")


def run_tests(arguments: argparse.Namespace) -> int:
    """pytest over the checkout, from its root, so that paths are those of the repository."""
    import pytest

    os.chdir(ROOT)
    os.environ.setdefault("ONECARD_DEMO", "1")
    return int(pytest.main([*AT_ONCE, *arguments.rest]))


def measurements() -> list[str]:
    """The files of bench/ that are run by name; beside them lies what they stand on."""
    files = sorted((ROOT / "bench").glob("[a-z]*.py"))
    return [path.stem for path in files if "\ndef main(arguments:" in path.read_text(encoding="utf-8")]


def run_bench(arguments: argparse.Namespace) -> int:
    """``bench/<name>.py``, which lies beside the product and is no part of it."""
    names = measurements()
    if arguments.name not in names:
        raise NotFound(
            "BENCH_UNKNOWN",
            f"没有名为 {arguments.name} 的测量。",
            f"There is no measurement {arguments.name}.",
            next_zh=f"可选：{'、'.join(names)}。",
            next_en=f"There are: {', '.join(names)}.",
        )
    bench: Callable[[list[str]], int | None] = import_module(f"bench.{arguments.name}").main
    sizes = {"--holders": arguments.holders, "--uses": arguments.uses}
    given = [f"{name}={number}" for name, number in sizes.items() if number is not None]
    return bench([*given, *(["--json"] if arguments.json else [])]) or 0
