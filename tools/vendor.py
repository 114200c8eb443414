"""Refresh the vendored front-end assets: pinned npm tarballs, checked by sha512, single files and licences copied.

    python tools/vendor.py          fetch, check against vendor.lock.json, write
    python tools/vendor.py --lock   the same, and write the checksums anew after raising a version

Only a maintainer needs npm (`npm pack`, no installation, no build); users get the files in the repository.
"""

import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ONECARD = Path(__file__).resolve().parent.parent / "src" / "onecard"
OUT = ONECARD / "foundation" / "web" / "static" / "vendor"
QR = ONECARD / "gateway" / "terminal_page" / "vendor" / "qr"
LOCK = OUT / "vendor.lock.json"
FILES = {
    "htmx.org@2.0.11": {"dist/htmx.min.js": OUT / "htmx.min.js", "LICENSE": OUT / "htmx.LICENSE"},
    "@tabler/icons@3.51.0": {"LICENSE": OUT / "tabler-icons.LICENSE"},
    "qr@0.7.0": {
        "index.js": QR / "index.js",
        "decode.js": QR / "decode.js",
        "LICENSE": QR / "LICENSE",
        "LICENSE-MIT": QR / "LICENSE-MIT",
    },
}
ICON_PACKAGE = "@tabler/icons@3.51.0"
ICON_NAMES = """
alert-triangle arrow-left arrow-right bell book building-bank building-community bus camera certificate chart-bar
check checklist chevron-right circle-check circle-x clock coin credit-card device-desktop device-mobile
download eye file-text flag heart-handshake history home id info-circle key language layout-dashboard
list-check lock lock-open login logout map-2 menu-2 nfc phone-call plug-connected plus qrcode receipt-2 refresh
report-money scan search settings shield-check ticket upload user-check users volume volume-off wallet wifi-off x
"""


def packed(package: str, lock: dict[str, str]) -> tarfile.TarFile:
    """The tarball of a pinned package; leaves with an error if its sha512 is not the locked one."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", package]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        data = (Path(folder) / done.stdout.split()[-1]).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if "--lock" in sys.argv:
        lock[package] = found
    if lock.get(package) != found:
        sys.exit(f"integrity mismatch: {package}\n  locked {lock.get(package)}\n  found  {found}")
    return tarfile.open(fileobj=io.BytesIO(data))


def member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(f"package/{name}")
    if stream is None:
        sys.exit(f"no such file in the package: {name}")
    return stream.read()


def symbol(name: str, svg: str) -> str:
    """One icon as a symbol of the sprite: what lies between its outer tags."""
    start = svg.index(">", svg.index("<svg")) + 1
    body = " ".join(svg[start : svg.rindex("</svg>")].split())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def main() -> None:
    lock = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    for package, files in FILES.items():
        archive = packed(package, lock)
        for source, target in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(member(archive, source))
        if package == ICON_PACKAGE:
            symbols = [
                symbol(name, member(archive, f"icons/outline/{name}.svg").decode()) for name in ICON_NAMES.split()
            ]
            sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
            (OUT / "icons.svg").write_text(sprite)
    LOCK.write_text(json.dumps(lock, indent=1) + "\n")


if __name__ == "__main__":
    main()
