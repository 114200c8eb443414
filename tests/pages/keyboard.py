"""A walk with the keyboard alone: Tab, Enter, Space, arrows and typing; each stop must show that it has the focus."""

from dataclasses import dataclass

from playwright.sync_api import Page, expect
from tests.foundation.web.live import Watched

# The element that has the focus: whether it is the one meant, how it shows that, and what it is called if it does not.
FOCUSED = """(wanted) => {
  const here = document.activeElement, style = getComputedStyle(here);
  const drawn = (each) => each && each.outlineStyle !== "none" && parseFloat(each.outlineWidth) > 0;
  const around = here.closest("label, li, .field");
  return [here.matches(wanted), drawn(style) || Boolean(around && drawn(getComputedStyle(around))),
    here === document.body, here.outerHTML.slice(0, 120)];
}"""
# Whether the focus is where it was when this was last asked.
STAYS = """() => {
  const here = document.activeElement, stays = here !== document.body && here === window.lastFocused;
  window.lastFocused = here;
  return stays;
}"""


@dataclass
class Keyboard:
    """Somebody's hands on the keys of one page."""

    watched: Watched

    @property
    def page(self) -> Page:
        return self.watched.page

    def to(self, wanted: str, limit: int = 150, key: str = "Tab") -> None:
        """Walk to an element; every stop on the way shows its focus, and none keeps it."""
        for _ in range(limit):
            self.page.keyboard.press(key)
            assert not self.page.evaluate(STAYS), f"{wanted}: the focus stays at {self._here(wanted)[3]}"
            found, shown, nowhere, name = self._here(wanted)
            assert shown or nowhere, f"hides its focus: {name}"
            if found:
                return
        raise AssertionError(f"{key} does not reach {wanted}")

    def _here(self, wanted: str) -> tuple[bool, bool, bool, str]:
        found: tuple[bool, bool, bool, str] = tuple(self.page.evaluate(FOCUSED, wanted))
        return found

    def back_to(self, wanted: str) -> None:
        self.to(wanted, key="Shift+Tab")

    def press(self, key: str, wanted: str = "") -> None:
        """Press a key, at an element if one is named."""
        if wanted:
            self.to(wanted)
        self.page.keyboard.press(key)

    def type(self, wanted: str, text: str) -> None:
        self.to(wanted)
        self.page.keyboard.type(text)

    def follow(self, link: str) -> None:
        """Press Enter at a link, and wait for the address that it names."""
        self.press("Enter", link)
        address = link.partition("'")[2].rpartition("'")[0]
        self.page.wait_for_url(f"**{address}")

    def arrives(self, heading: str) -> None:
        """Wait for a page with this heading, and begin at its top again."""
        expect(self.page.locator("h1")).to_have_text(heading)
        self.fits()

    def fits(self) -> None:
        """Nothing is wrong with what is shown now."""
        self.watched.wrong = [said for said in self.watched.wrong if "422" not in said]
        found = self.watched.faults()
        assert not found, found
