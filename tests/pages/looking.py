"""What is looked for on a page as it stands in a browser, beside what its console says."""

import re
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from playwright.sync_api import BrowserContext
from tests.foundation.web.live import Watched, watched

WIDTHS = (320, 768, 1366)
LOOKS = list(product(("zh", "en"), ("standard", "elder")))
CHINESE = "[\\\\u3400-\\\\u9fff\\\\uf900-\\\\ufaff]"
# What a page says of itself, read at one go. `chinese`: outside what is marked as Chinese. `raw`: places of a template
# or of a translation that nothing was put into. `scripted`: what of the main part was not in the answer.
READ = """(answered) => {
  const hidden = (node) => node.parentElement.closest("[hidden], script, style, template, noscript, svg");
  const texts = (root) => {
    const found = [], walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!hidden(walker.currentNode)) found.push(walker.currentNode);
    return found;
  };
  const plain = (text) => text.replace(/\\s+/g, " ").trim();
  const language = (node) => node.closest("[lang]")?.lang;
  const chinese = /CHINESE/, empty = /%\\(\\w*\\)|\\{[{%]|\\bNone\\b|\\bundefined\\b/;
  const said = ["alt", "title", "aria-label", "placeholder"];
  const spoken = [...document.querySelectorAll(said.map((each) => `[${each}]`).join())]
    .flatMap((node) => said.map((each) => [node, node.getAttribute(each)]).filter(([, text]) => text));
  const all = [...texts(document.body).map((node) => [node.parentElement, node.data]), ...spoken];
  const served = new DOMParser().parseFromString(answered, "text/html").querySelector("main");
  const before = served && plain(texts(served).map((node) => node.data).join(" "));
  const main = document.querySelector("main");
  return {
    lang: document.documentElement.lang, mode: document.documentElement.dataset.mode, title: document.title,
    h1: [...document.querySelectorAll("h1")].map((each) => plain(each.textContent)),
    base: ["#live", "main#main", ".skip"].every((each) => document.querySelector(each)),
    chinese: all.filter(([node, text]) => chinese.test(text) && language(node) !== "zh-CN")
      .map(([, text]) => plain(text)),
    raw: all.filter(([node, text]) => empty.test(text) && !node.closest("code, pre")).map(([, text]) => plain(text)),
    scripted: served && texts(main).filter((node) => !node.parentElement.closest("button, [aria-live]"))
      .map((node) => plain(node.data)).filter((text) => /\\p{L}/u.test(text) && !before.includes(text)),
  };
}""".replace("CHINESE", CHINESE.replace("\\\\", "\\"))
# What axe's rules go by. `layout`: every element's visibility, whether it scrolls, and whether it is large enough.
# `inks`: the colours of every text and field on their ground, which most pages share.
DRAWN = """() => {
  const inks = new Set();
  let layout = 0;
  const take = (text) => { for (let n = 0; n < text.length; n++) layout = (layout * 31 + text.charCodeAt(n)) | 0; };
  const grounds = new Map();
  const ground = (node) => {
    if (!node) return "";
    if (!grounds.has(node)) {
      const { backgroundColor: colour, backgroundImage: image, opacity } = getComputedStyle(node);
      const opaque = image === "none" && opacity === "1" && !/, 0\\.?\\d*\\)$/.test(colour);
      grounds.set(node, `${colour} ${image} ${opacity}` + (opaque ? "" : ground(node.parentElement)));
    }
    return grounds.get(node);
  };
  for (const node of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(node), box = node.getBoundingClientRect();
    take([node.tagName, style.display, style.visibility, Math.min(24, Math.round(box.width)),
      Math.min(24, Math.round(box.height)), node.scrollWidth > node.clientWidth + 1,
      node.scrollHeight > node.clientHeight + 1].join());
    const written = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (box.width && (written || node.matches("input, select, textarea"))) {
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      inks.add([style.color, large, style.textShadow, ground(node)].join(" "));
    }
  }
  return [layout, [...inks]];
}"""


@dataclass
class Seen:
    """What was looked at already: layouts by address and language, and inks of all pages."""

    layouts: set[tuple[str, str, int]] = field(default_factory=set)
    inks: set[str] = field(default_factory=set)


@dataclass
class Walk:
    """A walk over pages in one language and mode."""

    context: BrowserContext
    home: str
    language: str
    mode: str
    seen: Seen
    found: list[str] = field(default_factory=list)
    _page: Watched = field(init=False)

    def __post_init__(self) -> None:
        self._page = watched(self.context, self.home)
        # A resident's or officer's account keeps the choice; who is nobody yet has it in a cookie.
        self._page.page.goto(f"{self.home}/health")
        self._page.go(f"/?lang={self.language}&mode={self.mode}")
        self._page.wrong.clear()

    def over(self, addresses: list[str], status: int = 200) -> None:
        """Look at each in every width."""
        for address in addresses:
            self._look_at(address, status)

    def _look_at(self, address: str, status: int) -> None:
        page = self._page
        page.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        response = page.page.goto(self.home + address, wait_until="load")
        assert response is not None
        told: dict[str, Any] = page.page.evaluate(READ, response.text())
        wrong = [] if response.status == status else [f"answers {response.status}"]
        if status >= 400:
            page.wrong = [said for said in page.wrong if str(status) not in said]
        wrong += [*self._itself(told), *self._drawn(address)]
        self.found += [f"{address} {self.language} {self.mode}: {fault}" for fault in wrong]

    def _itself(self, told: dict[str, Any]) -> list[str]:
        """What is wrong with a page in any width."""
        wrong = [f"says {told['raw'][0]}"] if told["raw"] else []
        if not told["base"]:
            wrong.append("is not built on the base template")
        if (told["lang"], told["mode"]) != ("zh-CN" if self.language == "zh" else "en", self.mode):
            wrong.append(f"is in {told['lang']}, {told['mode']}")
        if len(told["h1"]) != 1 or not told["h1"][0] or not re.match(r"\S.* · \S", told["title"]):
            wrong.append(f"is headed {told['h1']}, titled {told['title']!r}")
        if self.language == "en" and told["chinese"]:
            wrong.append(f"says in Chinese {told['chinese'][:3]}")
        if told["scripted"]:
            wrong.append(f"says only with scripts {told['scripted'][:3]}")
        return wrong

    def _drawn(self, address: str) -> list[str]:
        """What is wrong with it as it is drawn; what was looked at already is not looked at again."""
        wrong = []
        for width in WIDTHS:
            self._page.page.set_viewport_size({"width": width, "height": 900})
            layout, inks = self._page.page.evaluate(DRAWN)
            known, inked = (address, self.language, layout) in self.seen.layouts, self.seen.inks.issuperset(inks)
            faults = self._page.faults(without=None if known and inked else ("color-contrast",) if inked else ())
            self.seen.layouts.add((address, self.language, layout))
            self.seen.inks.update(inks)
            wrong += [f"{width}px: {fault}" for fault in faults]
        return wrong

    def close(self) -> None:
        self._page.page.close()
