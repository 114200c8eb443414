"""What a gate decides by: pack, lists and the issuer's keys; fetched with ETags, verified, and kept on disk.

Trust begins at pairing: over that connection come the terminal's key and the issuer's keys, which are pinned. From then
on a key is taken over from a pack that a known key signed, and never when it is known to be withdrawn. Nothing that was
fetched replaces anything newer, so that nobody can set a gate back to a list from before a loss.
"""

import contextlib
import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from onecard_gate.errors import GateError, Unreachable
from onecard_gate.home import Home, Identity
from onecard_gate.platform import Answer, Platform, problem_of, signed
from onecard_kit import pack as packs
from onecard_kit import status_list, withdrawn
from onecard_kit.journal_file import replace_file
from onecard_kit.offline import Knowledge
from onecard_kit.pack import KEYS, Pack, PackKey, PackList
from onecard_kit.refs import day_of
from onecard_kit.status_list import ListRefused, StatusList
from onecard_kit.suites import SUITES, PublicKey, Purpose

log = logging.getLogger("onecard.gate")

PACK_PATH: Final = "/v1/pack"
KEYS_PATH: Final = "/v1/keys"
PINS: Final = "pins.json"
TAGS: Final = "tags.json"
CONTACT: Final = "contact.json"
CONTACT_KEPT_S: Final = 60
FETCH_S: Final = 30.0
LIST_KIND: Final = "application/statuslist+cwt"


class Pins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of `issuer` that this gate trusts, and the ids of those it never will again. `told_at` is when the
    newest list of withdrawn keys was made.
    """

    issuer: str = ""
    keys: tuple[PackKey, ...] = ()
    withdrawn: tuple[str, ...] = ()
    told_at: int | None = None

    def by_kid(self) -> dict[bytes, PublicKey]:
        """What may have signed a pack or a list: keys for what lasts sign neither."""
        ours = (key for key in self.keys if key.suite in SUITES and key.purpose is Purpose.CODES)
        good = (key for key in ours if key.kid not in self.withdrawn)
        return {bytes.fromhex(key.kid): key.public_key() for key in good}


Step = Callable[[Platform, Identity, int], list[str]]


@dataclass(slots=True)
class Supplies:
    """`known` is what is decided by; it is replaced as a whole, so that another thread may look at any time."""

    home: Home
    pins: Pins = field(default_factory=Pins)
    known: Knowledge = field(default_factory=Knowledge)
    tags: dict[str, str] = field(default_factory=dict)
    contacted: int | None = None
    _contact_kept: int = 0

    @classmethod
    def open(cls, home: Home) -> "Supplies":
        """Take up what is kept; whatever cannot be read or verified is fetched anew."""
        made = cls(home, home.read(PINS, Pins) or Pins(), contacted=home.read_or_none(CONTACT, int))
        made.tags = home.read_or_none(TAGS, dict[str, str]) or {}
        pack = made._kept_pack()
        lists = dict(made._kept_lists())
        made._know(pack, lists)
        return made

    # --- what is kept ---

    def _kept_pack(self) -> Pack | None:
        with contextlib.suppress(OSError, ListRefused):
            return packs.from_jwt((self.home.supplies / "pack.jwt").read_text("ascii"), self.pins.by_kid())
        self.tags.pop(PACK_PATH, None)
        return None

    def _kept_lists(self) -> Iterable[tuple[str, StatusList]]:
        for path in sorted(self.home.supplies.glob("*.cwt")):
            try:
                made = status_list.from_cwt(path.read_bytes(), self.pins.by_kid())
            except (OSError, ListRefused):
                path.unlink(missing_ok=True)
                continue
            if path.name == _file_of(made.subject):
                yield made.subject, made

    def _know(self, pack: Pack | None, lists: Mapping[str, StatusList]) -> None:
        self.tags = {path: tag for path, tag in self.tags.items() if path in (PACK_PATH, KEYS_PATH) or path in lists}
        gone = tuple((self.pins.issuer, bytes.fromhex(kid)) for kid in self.pins.withdrawn)
        self.known = Knowledge(pack, lists, gone, self.pins.told_at, self.contacted)

    # --- fetching ---

    def pin(self, platform: Platform) -> None:
        """Take over the issuer's keys as this connection tells them. Raises Unreachable, Told or GateError."""
        told = _answered(platform.ask("GET", KEYS_PATH)).json()
        try:
            issuer = str(told["issuer"])
            keys = tuple(msgspec.convert({"issuer": issuer, **key}, PackKey) for key in told["keys"])
            pins = replace(self.pins, issuer=issuer, keys=keys)
            pins.by_kid()
        except (LookupError, TypeError, ValueError) as error:
            raise Unreachable(f"no keys: {error}") from None
        self._pin(pins)

    def refresh(self, platform: Platform, identity: Identity, now: int, trusts_connection: bool) -> list[str]:
        """Fetch what is new of everything; what could not be had or believed is told, and the rest goes on. Raises
        Unreachable when the line is gone.
        """
        wrong: list[str] = []
        for step in (self._refresh_keys, self._refresh_pack, self._refresh_lists):
            try:
                wrong += self._trusting(step, platform, identity, now, trusts_connection or platform.is_private)
            except Unreachable:
                raise
            except (GateError, ListRefused, OSError) as error:
                wrong.append(f"{step.__name__.removeprefix('_refresh_')}: {error}")
        self._drop_old_lists(now)
        return wrong

    def _trusting(self, step: Step, platform: Platform, identity: Identity, now: int, trusts: bool) -> list[str]:
        """A step; if it meets a key that is not known, once more after the keys were taken over, where the connection
        is as good as at pairing: a key may have begun to sign while this gate was away.
        """
        try:
            return step(platform, identity, now)
        except ListRefused:
            before = self.pins
            if trusts:
                self.pin(platform)
            if self.pins == before:
                raise
            return step(platform, identity, now)

    def _refresh_keys(self, platform: Platform, identity: Identity, now: int) -> list[str]:
        """The list of withdrawn keys. What it names is never trusted again, whatever comes later."""
        told = _answered(platform.ask("GET", KEYS_PATH, within_s=FETCH_S)).json()
        try:
            text = str(told["withdrawn_keys"])
        except (LookupError, TypeError):
            return ["keys: no list of withdrawn keys"]
        made = withdrawn.from_jwt(text, self.pins.issuer, self.pins.by_kid())
        gone = tuple(sorted({*self.pins.withdrawn, *(kid.hex() for kid in made.keys)}))
        told_at = max(made.issued, self.pins.told_at or 0)
        if gone != self.pins.withdrawn or told_at != self.pins.told_at:
            is_news = gone != self.pins.withdrawn
            self._pin(replace(self.pins, withdrawn=gone, told_at=told_at))
            if is_news:  # a pack or a list may rest on a key that is not good any more
                self._know(self._kept_pack(), dict(self._kept_lists()))
        self._heard(now)
        return []

    def _refresh_pack(self, platform: Platform, identity: Identity, now: int) -> list[str]:
        headers = signed(identity, identity.journal, "GET", PACK_PATH, 0, b"", platform.clock.now_ms())
        answer = self._fetch(platform, PACK_PATH, headers)
        if answer is None:
            self._heard(now)
            return []
        text = answer.body.decode("ascii", "replace")
        made = packs.from_jwt(text, self.pins.by_kid())
        held = self.known.pack
        if held is not None and made.made < held.made:
            return ["pack: older than the one here"]
        if made.terminal.code != identity.terminal or made.issuer != self.pins.issuer:
            return ["pack: of another terminal"]
        replace_file(self.home.supplies / "pack.jwt", [text.encode()])
        self._pin_from(made)
        self._tag(PACK_PATH, answer)
        self._know(made, self.known.lists)
        self._heard(now)
        return []

    def _refresh_lists(self, platform: Platform, identity: Identity, now: int) -> list[str]:
        pack = self.known.pack
        wrong = []
        for each in pack.lists if pack is not None else ():
            for path in _paths(each, now):
                try:
                    self._refresh_list(platform, path)
                except Unreachable:
                    raise
                except (GateError, ListRefused) as error:
                    wrong.append(f"{path}: {error}")
        return wrong

    def _refresh_list(self, platform: Platform, path: str) -> None:
        answer = self._fetch(platform, path, {"accept": LIST_KIND})
        if answer is None:
            return
        made = status_list.from_cwt(answer.body, self.pins.by_kid())
        held = self.known.lists.get(path)
        if made.subject != path:
            raise ListRefused("it is another list than was asked for")
        if held is not None and made.issued < held.issued:
            raise ListRefused("it is older than the one here")
        replace_file(self.home.supplies / _file_of(path), [answer.body])
        self._tag(path, answer)
        self._know(self.known.pack, {**self.known.lists, path: made})

    def _fetch(self, platform: Platform, path: str, headers: Mapping[str, str]) -> Answer | None:
        """What is new at a path; None: what is here is the newest. Raises Unreachable or Told."""
        tag = self.tags.get(path)
        told = {**headers, "if-none-match": tag} if tag is not None else headers
        answer = platform.ask("GET", path, headers=told, within_s=FETCH_S)
        return None if answer.status == 304 else _answered(answer)

    def _tag(self, path: str, answer: Answer) -> None:
        self.tags.pop(path, None)
        if "etag" in answer.headers:
            self.tags[path] = answer.headers["etag"]
        self.home.write(TAGS, self.tags)

    def _pin(self, pins: Pins) -> None:
        self.home.write(PINS, pins)
        self.pins = pins
        self._know(self.known.pack, self.known.lists)

    def _pin_from(self, made: Pack) -> None:
        """A pack that a known key signed names the keys of its issuer: those that are about to sign, too."""
        ours = tuple(key for key in made.keys if key.issuer == self.pins.issuer)
        if ours and ours != self.pins.keys:
            self._pin(replace(self.pins, keys=ours))

    def _heard(self, now: int) -> None:
        """The platform answered; how long ago that was decides what this gate may do alone."""
        self.contacted = now
        self._know(self.known.pack, self.known.lists)
        if abs(now - self._contact_kept) >= CONTACT_KEPT_S:
            self.home.write(CONTACT, now)
            self._contact_kept = now

    def _drop_old_lists(self, now: int) -> None:
        """Drop what no pack names any more, and the lists of days before yesterday, where there are newer ones."""
        pack = self.known.pack
        if pack is None:
            return
        yesterday = day_of(now) - dt.timedelta(days=1)
        named = {path for each in pack.lists for path in (*_paths(each, now), each.path_of(yesterday))}
        old = self.known.lists.keys() - named
        if old and named & self.known.lists.keys():
            for path in old:
                (self.home.supplies / _file_of(path)).unlink(missing_ok=True)
            self._know(pack, {path: made for path, made in self.known.lists.items() if path in named})


def _answered(answer: Answer) -> Answer:
    """Raises Told for a problem."""
    if answer.status >= 400:
        raise problem_of(answer)
    return answer


def _paths(each: PackList, now: int) -> list[str]:
    """Where a list is to be had: of those that have one for each day, all there are, for the days without a line."""
    if each.name == KEYS:
        return []
    today = day_of(now)
    return [each.path_of(today + dt.timedelta(days=ahead)) for ahead in range(max(each.days, 1))]


def _file_of(path: str) -> str:
    """A file's name for a path that the platform names: nothing of it reaches the disk but its digest."""
    return hashlib.sha256(path.encode()).hexdigest()[:32] + ".cwt"


def ages(known: Knowledge, now: int) -> dict[str, tuple[int | None, int]]:
    """How old each list is in seconds (None: it was never had), and the age from which on it is not decided by."""
    if known.pack is None:
        return {}
    found: dict[str, tuple[int | None, int]] = {}
    for each in known.pack.lists:
        issued = known.issued(each.name)
        found[each.name] = (None if issued is None else max(0, now - issued), each.oldest_s)
    return found
