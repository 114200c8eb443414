"""``onecard demo``: set everything up, start everything, say where to go, stop everything.

Folder: ``postgres/`` the embedded database, ``keys/`` the keyrings, ``secrets.json`` passwords and the web's secret,
``bank.sqlite3`` the simulated bank's books, ``logs/`` what each process prints, ``pockets.json`` what the synthetic
residents and terminals of the day carry, ``demo.json`` the note of a running demo.
"""

import argparse
import contextlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from onecard.connectors.webhooks import addresses
from onecard.demo import database, running
from onecard.demo.running import ROOT, Demo
from onecard.demo.supervise import Child, Supervisor, answers, refuse_taken
from onecard.foundation import keys, suite
from onecard.foundation.errors import BadInput, Unavailable
from onecard.foundation.postgres import binaries, roles, urls
from onecard.foundation.postgres.embedded import EmbeddedPostgres
from onecard.foundation.terminal import say, speaks_chinese

NAME = "onecard"
NODE = "320600"
HOLDERS_MAX = 2_000_000
# Residents, officers, gateway, the simulated bank, the department API, a simulated department's system, and a simulated
# operator of short messages.
PORTS = 7


def run(arguments: argparse.Namespace) -> int:
    """Run the demo until it is stopped, or with ``--day`` play one day on it; the exit code."""
    folder = (arguments.data_dir or running.default_folder()).absolute()
    demo = running.find(folder)
    if arguments.day and demo:
        return play_day(demo)
    if demo:
        return _already(demo)
    _refuse_wrong(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):  # while things are being made ready, as Ctrl-C
        signal.signal(number, signal.default_int_handler)
    with started(folder, arguments.port, arguments.holders) as (supervisor, demo):
        if arguments.day:
            return play_day(demo)
        print(screen(demo, folder), flush=True)
        supervisor.watch()
        say("正在停止……", "Stopping …")
    return 0


def _already(demo: Demo) -> int:
    say(f"已在运行：{demo.public}", f"Already running: {demo.public}")
    return 0


def _refuse_wrong(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.holders <= HOLDERS_MAX:
        raise BadInput(
            "HOLDERS_OUT_OF_RANGE",
            f"持卡人数应在 1 到 {HOLDERS_MAX} 之间。",
            f"The number of holders must be from 1 to {HOLDERS_MAX}.",
            next_zh="请修改 --holders。",
            next_en="Change --holders.",
        )
    suite.of_node()
    refuse_taken([arguments.port + n for n in range(PORTS)])


@contextlib.contextmanager
def started(folder: Path, port: int, holders: int) -> Iterator[tuple[Supervisor, Demo]]:
    """The whole demo, running; on leaving, processes end in order and PostgreSQL last."""
    with contextlib.ExitStack() as cleanup:
        postgres = None if os.environ.get(urls.ENVIRONMENT) else EmbeddedPostgres(folder / "postgres", say=say)
        if postgres:
            cleanup.callback(postgres.stop)
            admin_url = postgres.start()
        else:
            _make_own_folder(folder)
            admin_url = urls.of_environment()
        environments = _environments(folder, admin_url, port)
        _prepare(environments["owner"], holders)
        supervisor = Supervisor(
            _children(environments, port, folder), _logs(folder), TendPostgres(postgres) if postgres else lambda: None
        )
        supervisor.listen()
        cleanup.callback(supervisor.stop)
        supervisor.start()
        demo = _note(environments["owner"], port, folder)
        running.leave_note(folder, demo)
        cleanup.callback(running.remove_note, folder)
        yield supervisor, demo


def _make_own_folder(folder: Path) -> None:
    try:
        binaries.make_folder(folder, 0o700)
    except OSError as error:
        raise Unavailable(
            "DATA_FOLDER_NOT_WRITABLE",
            f"无法写入数据目录 {folder}。",
            f"The data folder {folder} cannot be written.",
            next_zh="请用 --data-dir 指定一个可写的目录。",
            next_en="Name a folder you may write to with --data-dir.",
        ) from error


class TendPostgres:
    """Called once a second: starts PostgreSQL again if it was killed. Its children reconnect by themselves."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    def __call__(self) -> None:
        if not self._postgres.alive():
            say("PostgreSQL 意外退出，正在恢复", "PostgreSQL ended by itself; recovering")
            self._postgres.start()


def _environments(folder: Path, admin_url: str, port: int) -> dict[str, dict[str, str]]:
    """The environment of each role's processes; makes the database, its roles and the keys where they are missing."""
    secret = database.secret_file(folder / "secrets.json", _fresh_secrets)
    databases = roles.ensure_database(admin_url, NAME, {role: secret[role] for role in roles.ROLES})
    keys.create(folder / "keys")
    shared = {
        **binaries.environment(),
        "LC_ALL": "C.UTF-8",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "ONECARD_NODE": NODE,
        "ONECARD_DEMO": "1",
        suite.ENVIRONMENT: suite.of_node().signature.name,
        "ONECARD_POCKETS": str(folder / "pockets.json"),
    }
    own = {role: _secrets_of(role, folder / "keys", secret["web"]) for role in databases}
    bank = {"ONECARD_BANK_URL": f"http://127.0.0.1:{port + 3}", "ONECARD_BANK_KEY": _bank_key(folder)}
    for role in WITH_THE_BANK:
        own[role] |= bank
    own["public"]["ONECARD_GATEWAY_URL"] = f"http://127.0.0.1:{port + 2}"
    own["worker"] |= {"ONECARD_SMS_URL": f"http://127.0.0.1:{port + 6}", "ONECARD_SMS_KEY": _sms_key(folder)}
    own["owner"][running.RECEIVER_URL] = f"http://localhost:{port + 5}/onecard"
    own["owner"][running.GATEWAY_URL] = f"http://localhost:{port + 2}"
    own["public"]["ONECARD_API_URL"] = f"http://127.0.0.1:{port + 4}"
    own["public"]["ONECARD_SANDBOX"] = str(folder / running.SANDBOX)
    own["worker"][addresses.SETTING] = "127.0.0.0/8, ::1/128"
    return {role: {**shared, **own[role], urls.ENVIRONMENT: url} for role, url in databases.items()}


# The rings each role's processes need, and no others (docs/operations.md). The owner's commands may use all.
RINGS = {
    "public": ("identity", "cards"),
    "staff": ("identity", "cards", "codes"),
    "gateway": ("codes", "cards", "terminals"),
    "api": ("identity", "cards", "clients"),
    "worker": ("identity", "cards", "codes", "clients", "anchor"),
}


# Who asks the bank: for holds, for what follows them, for its statement of the day.
WITH_THE_BANK = ("gateway", "worker", "owner")


def _bank_key(folder: Path) -> str:
    """The key that the node shares with the simulated bank, 64 hex digits."""
    return database.secret_file(folder / "keys" / "bank.json", lambda: {"key": secrets.token_hex(32)})["key"]


def _sms_key(folder: Path) -> str:
    """The key by which the simulated operator of short messages knows the node."""
    return database.secret_file(folder / "keys" / "sms.json", lambda: {"key": secrets.token_hex(32)})["key"]


def _secrets_of(role: str, folder: Path, web_secret: str) -> dict[str, str]:
    if role not in RINGS:
        return {"ONECARD_KEYS": str(folder), "ONECARD_SECRET_KEY": web_secret}
    rings = {"ONECARD_KEYS": str(_rings_of(role, folder))}
    return rings if role == "gateway" else {**rings, "ONECARD_SECRET_KEY": web_secret}


def _rings_of(role: str, folder: Path) -> Path:
    """A folder with a role's rings alone: links, so that whoever runs sees a ring that was rotated."""
    own = folder / role
    binaries.make_folder(own, 0o700)
    for old in own.iterdir():
        old.unlink()
    for ring in RINGS[role]:
        (own / f"{ring}.json").symlink_to(Path("..") / f"{ring}.json")
    return own


def _fresh_secrets() -> dict[str, str]:
    return {**database.fresh_passwords(), "web": secrets.token_urlsafe(48)}


def _prepare(environment: dict[str, str], holders: int) -> None:
    """Tables, grants and city. Its own words have already said what failed."""
    done = subprocess.run(
        [sys.executable, "-m", "onecard.demo.prepare", str(holders)], env=environment, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise Unavailable(
            "DEMO_NOT_PREPARED",
            "示范数据未能备好，原因见上。",
            "The demo's data could not be made ready; the reason is above.",
            next_zh="改正后再次运行即可，已完成的步骤不会重做。",
            next_en="Run it again once that is mended; finished steps are not repeated.",
        )


def _logs(folder: Path) -> Path:
    logs = folder / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    return logs


def _children(environments: dict[str, dict[str, str]], port: int, folder: Path) -> list[Child]:
    return [
        _bank(environments["gateway"], port + 3, folder),
        _web("gateway", "网关", "Gateway", "rsgi", "onecard.gateway.app", port + 2, environments["gateway"], workers=2),
        _web("public", "居民端", "Public web", "wsgi", "onecard.urls.public", port, environments["public"]),
        _web("staff", "工作人员端", "Staff web", "wsgi", "onecard.urls.staff", port + 1, environments["staff"]),
        _web("api", "部门接口", "Department API", "wsgi", "onecard.urls.api", port + 4, environments["api"]),
        _receiver(environments["api"], port + 5, folder),
        _sms(environments["worker"], port + 6),
        _worker(environments["worker"], folder),
    ]


def _web(
    name: str, zh: str, en: str, interface: str, module: str, port: int, environment: dict[str, str], workers: int = 1
) -> Child:
    argv = [sys.executable, "-m", "granian", "--interface", interface, "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--workers", str(workers), "--respawn-failed-workers", "--no-ws", "--log-level", "warning"]
    argv += ["--blocking-threads", "4"] if interface == "wsgi" else []
    return Child(
        name,
        zh,
        en,
        [*argv, f"{module}:application"],
        {**environment, "ONECARD_PORT": str(port)},
        lambda: answers(port),
    )


def _bank(environment: dict[str, str], port: int, folder: Path) -> Child:
    """The simulated bank: a stranger, who is told the key it shares with us and nothing else of ours."""
    told = {name: value for name, value in environment.items() if not name.startswith("ONECARD_")}
    argv = [sys.executable, "-m", "onecard_simulators.bank", "--port", str(port)]
    argv += ["--book", str(folder / "bank.sqlite3")]
    key = {"BANK_KEY": environment["ONECARD_BANK_KEY"]}
    return Child("bank", "模拟银行", "Simulated bank", argv, {**told, **key}, lambda: answers(port))


def _receiver(environment: dict[str, str], port: int, folder: Path) -> Child:
    """A simulated department's system: a stranger, who is told the keys that sign what it is sent."""
    told = {name: value for name, value in environment.items() if not name.startswith("ONECARD_")}
    keys = {"RECEIVER_KEYS": (folder / running.RECEIVER).read_text(encoding="utf-8")}
    argv = [sys.executable, "-m", "onecard_simulators.receiver", "--port", str(port)]
    return Child(
        "receiver", "模拟部门系统", "Simulated department", argv, {**told, **keys}, lambda: answers(port)
    )  # fmt: skip


def _sms(environment: dict[str, str], port: int) -> Child:
    """The simulated operator of short messages: a stranger, who is told the key it knows us by."""
    told = {name: value for name, value in environment.items() if not name.startswith("ONECARD_")}
    argv = [sys.executable, "-m", "onecard_simulators.sms", "--port", str(port)]
    key = {"SMS_KEY": environment["ONECARD_SMS_KEY"]}
    return Child("sms", "模拟短信", "Simulated messages", argv, {**told, **key}, lambda: answers(port))


def _worker(environment: dict[str, str], folder: Path) -> Child:
    ready = folder / "worker.ready"
    ready.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "onecard", "worker"]
    return Child("worker", "后台任务", "Worker", argv, {**environment, "ONECARD_READY_FILE": str(ready)}, ready.exists)


def _note(environment: dict[str, str], port: int, folder: Path) -> Demo:
    ours = {name: value for name, value in environment.items() if name.startswith("ONECARD_")}
    place = "http://localhost:{}".format
    return Demo(
        os.getpid(), place(port), place(port + 1), place(port + 2), str(folder / "pockets.json"), ours, place(port + 4)
    )


def screen(demo: Demo, folder: Path) -> str:
    """What a newcomer needs to know, on one screen."""
    named = "" if folder == running.default_folder() else f"    export {running.FOLDER}={shlex.quote(str(folder))}\n"
    if speaks_chinese():
        return f"""
  一卡通示范城市已在运行（全部人员均为虚构）

    居民端        {demo.public}
    工作人员端    {demo.staff}
    终端网关      {demo.gateway}
    终端网页      {demo.gateway}/terminal/
    部门接口      {demo.api}
    模拟短信      {_sms_address(demo)}
    开放平台      {demo.public}/dev/start

  居民登录：社会保障号码和短信验证码（在“模拟短信”里看）
{_secrets(folder / running.RESIDENTS)}

  登录（用户名与密码；clerk 至 admin 是工作人员，首次登录时设置第二步验证）
{_signins(folder)}

  部门接口的接入凭据（client_id:client_secret，用法见 docs/department-api.md）
{_clients(folder)}

  可以试试
{named}    ./onecard demo --day     另开一个终端：演示城市的一天，并核对每一分钱
    ./onecard check          核对审计链、账目与数据库权限

  数据在 {folder}，再次启动会继续使用。按 Ctrl-C 停止。
"""
    return f"""
  The OneCard demo city is running (every person in it is synthetic)

    residents     {demo.public}
    officers      {demo.staff}
    terminals     {demo.gateway}
    terminal page {demo.gateway}/terminal/
    departments   {demo.api}
    messages      {_sms_address(demo)}
    developers    {demo.public}/dev/start

  Residents sign in by social-security number and the code shown under "messages"
{_secrets(folder / running.RESIDENTS)}

  Sign in (user name, password; clerk to admin are staff, who set up a second factor at first)
{_signins(folder)}

  Credentials at the department API (client_id:client_secret; docs/department-api.md begins with them)
{_clients(folder)}

  Try
{named}    ./onecard demo --day     in another terminal: one day of the city, then every fen accounted for
    ./onecard check          the audit chain, the money and the database's grants

  Its data is in {folder}; the next start goes on with it. Ctrl-C stops it.
"""


def play_day(demo: Demo) -> int:
    """One day of the city through its HTTP interfaces, then every fen accounted for; 0 only if everything holds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONECARD_")}
    environment |= {**demo.environment, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}
    argv = [sys.executable, "-m", "onecard.demo.day", demo.gateway, str(Path(demo.pockets).parent)]
    return subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL).returncode


def _sms_address(demo: Demo) -> str:
    """Where the simulated operator of short messages shows what it sent."""
    address, _, port = demo.public.rpartition(":")
    return f"{address}:{int(port) + 6}"


def _signins(folder: Path) -> str:
    """The demo's user names and passwords, one a line."""
    return _secrets(folder / running.SIGNINS)


def _clients(folder: Path) -> str:
    """The credentials of the demo's clients, one a line."""
    return _secrets(folder / running.CLIENTS)


def _secrets(path: Path) -> str:
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return "\n".join(f"    {name:13} {secret}" for name, secret in known.items())
