"""Draw the portal's app icons from icon.svg: ``python tools/icons.py``. Takes the Chromium of the tests.

A phone cuts a maskable icon to its own shape, so that one fills its square and keeps the mark inside the safe circle.
"""

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

SOURCE = Path(__file__).resolve().parent.parent / "src" / "onecard"
SVG = SOURCE / "foundation" / "web" / "static" / "icon.svg"
ICONS = SOURCE / "portal" / "static" / "icons"
CHROMIUM = os.environ.get("ONECARD_CHROMIUM", "/usr/bin/chromium")
PAGE = "<style>body {{ margin:0; background:{background} }} svg {{ width:{width}vw; margin:{margin}vw }}</style>{svg}"
KINDS = {"icon": ("transparent", 100), "maskable": ("#e9f0fb", 72)}
DRAWN = (("icon", 192), ("icon", 512), ("maskable", 512))


def main() -> None:
    ICONS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, size in DRAWN:
            background, width = KINDS[name]
            page = browser.new_page(viewport={"width": size, "height": size})
            values = {"background": background, "width": width, "margin": (100 - width) / 2, "svg": SVG.read_text()}
            page.set_content(PAGE.format(**values))
            page.screenshot(path=ICONS / f"{name}-{size}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
