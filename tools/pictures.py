"""Take the pictures of pages that the documentation shows, in both languages.

    python tools/pictures.py [--demo FOLDER]

starts a demo of its own, plays a day in it, looks at eight pages as their users do, and writes
docs/pictures/page-*.webp.
`--demo` looks at one that runs already. Takes Debian's Chromium, or what ONECARD_CHROMIUM names.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = os.environ.get("ONECARD_CHROMIUM", "/usr/bin/chromium")
HOLDERS, PORTS = 500, 10
PIN = "836194"
# The worker counts once a minute what officers see first.
COUNTED_WITHIN_S = 180
ADMITTED = re.compile(r"^(通过 [0-9.]+%|[0-9.]+% admitted)$")
BYTES_MAX = 150_000
PHONE, DESK = (390, 844), (1366, 820)
LANGUAGES = {"en": "", "zh": ".zh"}  # as the other pictures are named


@dataclass(frozen=True)
class Demo:
    """A running demo: its folder and its addresses."""

    folder: Path
    public: str
    staff: str

    def password(self, name: str) -> str:
        found: str = json.loads((self.folder / "signins.json").read_text(encoding="utf-8"))[name]
        return found


@dataclass(frozen=True)
class Shot:
    """A picture: of whose page, how large, and how one gets to it from what that person sees first."""

    name: str
    user: str
    size: tuple[int, int]
    go: Callable[[Page, str], None]


def _to(path: str) -> Callable[[Page, str], None]:
    def go(page: Page, home: str) -> None:
        page.goto(home + path)

    return go


def _unlocked(page: Page, home: str) -> None:
    """The phone shows its code; the first time it is given a PIN."""
    page.goto(home + "/ecard/")
    if page.locator("#id_pin").count():
        page.fill("#id_pin", PIN)
        if page.locator("#id_again").count():
            page.fill("#id_again", PIN)
        page.press("main form [type=submit]", "Enter")
    expect(page.locator("#qr svg")).to_be_visible(timeout=30_000)


def _counted(page: Page, home: str) -> None:
    """The overview, once it tells of the day's uses."""
    until = time.monotonic() + COUNTED_WITHIN_S
    page.goto(home + "/")
    while not page.get_by_text(ADMITTED).count():
        if time.monotonic() > until:
            raise SystemExit("the day's uses were not counted")
        page.wait_for_timeout(2_000)
        page.reload()


def _holder(page: Page, home: str) -> None:
    """A holder found by a card that was used last."""
    page.goto(home + "/uses/?verdict=ADMITTED")
    page.locator("main table a[href^='/uses/']").first.click()
    page.locator("main a[href^='/holders/']").click()
    expect(page.locator("#history")).to_be_visible()


def _tried(page: Page, home: str) -> None:
    page.goto(home + "/dev/try")
    page.press("main form [type=submit]", "Enter")
    expect(page.locator("#outcome")).to_be_visible(timeout=30_000)


SHOTS = (
    Shot("home", "resident", PHONE, _to("/")),
    Shot("ecard", "resident", PHONE, _unlocked),
    Shot("service", "resident", PHONE, _to("/services/transit.bus_ride")),
    Shot("cards", "resident", PHONE, _to("/cards/")),
    Shot("overview", "auditor", DESK, _counted),
    Shot("holder", "officer", DESK, _holder),
    Shot("item", "editor", DESK, _to("/items/transit.bus_ride/versions/1/")),
    Shot("try", "", DESK, _tried),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--demo", type=Path, metavar="FOLDER", help="the data folder of a demo that runs")
    folder = parser.parse_args().demo
    with contextlib.nullcontext(note(folder)) if folder else a_demo() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        too_large = [path.name for path in take_all(demo, browser) if path.stat().st_size > BYTES_MAX]
    print(f"too large: {too_large}" if too_large else f"{len(SHOTS)} pages in {len(LANGUAGES)} languages")
    return int(bool(too_large))


@contextlib.contextmanager
def a_demo() -> Iterator[Demo]:
    """A demo that lives as long as this, after a day in it."""
    folder = Path(tempfile.mkdtemp(prefix="onecard-pictures-"))
    folder.chmod(0o711)
    command = [str(ROOT / "onecard"), "demo", "--data-dir", str(folder / "demo")]
    started = subprocess.Popen([*command, "--port", str(free_ports()), "--holders", str(HOLDERS)])
    try:
        while not (folder / "demo" / "demo.json").exists():
            if started.poll() is not None:
                raise SystemExit("the demo did not start")
            time.sleep(0.5)
        subprocess.run([*command, "--day"], check=True)
        yield note(folder / "demo")
    finally:
        started.terminate()
        started.wait()
        shutil.rmtree(folder, ignore_errors=True)


def free_ports() -> int:
    """The first of several ports in a row that nobody listens on."""
    for first in range(20_000, 60_000, PORTS):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + PORTS):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise SystemExit("no free ports")


def note(folder: Path) -> Demo:
    told = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    return Demo(folder, told["public"], told["staff"])


def take_all(demo: Demo, browser: Browser) -> Iterator[Path]:
    for user in dict.fromkeys(shot.user for shot in SHOTS):
        context = browser.new_context(locale="zh-CN", device_scale_factor=1.5, reduced_motion="reduce")
        page = context.new_page()
        home = demo.public if user in ("", "resident") else demo.staff
        if user:
            sign_in(page, home, user, demo.password(user))
        for shot in (shot for shot in SHOTS if shot.user == user):
            for language, ending in LANGUAGES.items():
                page.set_viewport_size({"width": shot.size[0], "height": shot.size[1]})
                page.goto(f"{home}/?lang={language}&mode=standard")
                shot.go(page, home)
                yield save(page, PICTURES / f"page-{shot.name}{ending}.webp")
        context.close()


def sign_in(page: Page, home: str, user: str, password: str) -> None:
    page.goto(home + ("/sign-in/password/" if user == "resident" else "/"))
    page.fill("#id_login", user)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")
    if user == "resident":
        page.wait_for_url(re.compile("/cards/$"))
        return
    expect(page.locator(".secret, #id_code").first).to_be_visible()
    if not page.locator(".secret").count():
        raise SystemExit(f"{user} has an authenticator already: take a demo in which nobody signed in")
    page.fill("#id_code", one_time_code(page.locator(".secret").inner_text()))
    page.press("#id_code", "Enter")
    expect(page.locator("nav.side")).to_be_visible()


def one_time_code(secret: str) -> str:
    """What an authenticator shows (RFC 6238, six digits, 30 seconds)."""
    key = base64.b32decode(secret.replace(" ", "").upper())
    made = hmac.new(key, int(time.time() // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    at = made[-1] & 15
    return f"{(int.from_bytes(made[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def save(page: Page, path: Path) -> Path:
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").save(path, "WEBP", quality=82, method=6)
    print(f"{path.name}: {path.stat().st_size // 1000} kB", flush=True)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
