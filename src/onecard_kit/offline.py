"""Deciding without a line (离线判定): from a pack, the lists and what a gate remembers to facts, and then `decide`.

What a gate cannot know it takes for granted, and the platform, which decides each line again when it arrives, charges
what it comes to:

    money       there is enough in the purse, up to what the item lets an offline gate take
    function    it is active, where a code was shown; a card file names those that were when it was written
    passes      the holder has none
    quotas, capacity, changes   only what this gate itself has seen
    journeys    one that this gate did not see began elsewhere: who is in is let out
    cryptogram  it is genuine; the file, its number and the list of cards are what is checked

Whether a gate may decide at all is asked first: the item must be for offline gates, the platform not too long out of
sight, and each list that is needed not older than the pack allows.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from onecard_kit import card_file, codes
from onecard_kit.classes import codes_of
from onecard_kit.decide import ACTIVE, Decision, Facts, OpenJourney, Standing, Trace, decide
from onecard_kit.pack import CARDS, CODES, KEYS, PAPERS, TERMINALS, Pack
from onecard_kit.presentation import Chip, Presentation
from onecard_kit.refs import day_of
from onecard_kit.status_list import Status, StatusList
from onecard_kit.suites import PublicKey
from onecard_kit.terms import FEN_MAX, Bilingual, Function, Item, Leg, Medium
from onecard_kit.verdicts import Verdict, Words

DAY_S: Final = 86_400
_CHINA_S: Final = 8 * 3600


class OfflineRefusal(StrEnum):
    """Why a gate must not decide by itself, in order of precedence; the strings are stable and differ from every
    verdict.
    """

    NOT_READY = "OFFLINE_NOT_READY"
    NOT_ALLOWED = "OFFLINE_NOT_ALLOWED"
    AWAY_TOO_LONG = "OFFLINE_AWAY_TOO_LONG"
    LIST_TOO_OLD = "OFFLINE_LIST_TOO_OLD"
    OVER_LIMIT = "OFFLINE_OVER_LIMIT"
    NOT_RECORDED = "OFFLINE_NOT_RECORDED"


_STAFF = ("请联系现场工作人员。", "Please ask the staff here.")
OFFLINE_WORDS: Final[dict[OfflineRefusal, Words]] = {
    OfflineRefusal.NOT_READY: Words("闸机尚无离线数据", "This gate has nothing to decide by without a line", *_STAFF),
    OfflineRefusal.NOT_ALLOWED: Words("网络中断，该应用项目暂停办理", "No connection: this item waits for it", *_STAFF),
    OfflineRefusal.AWAY_TOO_LONG: Words("网络中断过久，暂停办理", "The connection has been gone for too long", *_STAFF),
    OfflineRefusal.LIST_TOO_OLD: Words("离线名单已过期，暂停办理", "This gate's lists are too old", *_STAFF),
    OfflineRefusal.OVER_LIMIT: Words("金额超过离线限额", "This is more than an offline gate may take", *_STAFF),
    OfflineRefusal.NOT_RECORDED: Words("本机无法记录，暂停办理", "This gate cannot write anything down", *_STAFF),
}


class Shown(msgspec.Struct, frozen=True, gc=False):
    """What reading a medium came to, as far as a gate can tell.

    `problem` says why it is not genuine or not now; then nothing else is known. `index` is its place in the list
    `listed_in` (of `day`, for codes). `spends` must not be shown twice before `good_until` (Unix seconds; None: ever).
    `holder` is what its uses are counted under here: a code's is another one each day.
    """

    medium: Medium
    problem: Verdict | None = None
    issuer: str = ""
    classes: tuple[str, ...] = ()
    functions: tuple[str, ...] = tuple(Function)
    listed_in: str = CODES
    index: int = 0
    day: dt.date | None = None
    spends: str | None = None
    good_until: int | None = None
    holder: str = ""
    via: codes.Via = codes.Via.SELF


class Remembered(msgspec.Struct, frozen=True):
    """What a gate has seen of this holder and at this point: `quota_used` by rule in the period of its day, `journey`
    the open one for this item, `changed_minutes_ago` since an item that `transfer.after` names.
    """

    spent: bool = False
    quota_used: Mapping[str, int] = {}
    journey: OpenJourney | None = None
    capacity_used: int = 0
    changed_minutes_ago: int | None = None


class Knowledge(msgspec.Struct, frozen=True):
    """What a gate knows besides its memory. `lists` by path; `withdrawn` are (issuer, kid); `keys_issued` is when the
    list of withdrawn keys was made, `contacted` when the platform last answered (Unix seconds; None: never).
    """

    pack: Pack | None = None
    lists: Mapping[str, StatusList] = {}
    withdrawn: Collection[tuple[str, bytes]] = ()
    keys_issued: int | None = None
    contacted: int | None = None

    def list_for(self, name: str, day: dt.date | None) -> StatusList | None:
        """The list by this name, of that day where it has one for each."""
        path = self._path(name)
        return None if path is None else self.lists.get(path.replace("{day}", day.isoformat() if day else ""))

    def issued(self, name: str) -> int | None:
        """When the newest list by this name was made; None: there is none."""
        if name == KEYS:
            return self.keys_issued
        path = self._path(name)
        if path is None:
            return None
        start, _, end = path.partition("{day}")
        ours = (each for at, each in self.lists.items() if at.startswith(start) and at.endswith(end))
        return max((each.issued for each in ours), default=None)

    def is_too_old(self, name: str, now: float) -> bool:
        """Whether it must not be decided upon: the pack names it, and it is missing or older than the pack allows."""
        assert self.pack is not None
        named = next((each for each in self.pack.lists if each.name == name), None)
        if named is None:
            return False
        issued = self.issued(name)
        return issued is None or now - issued > named.oldest_s

    def _path(self, name: str) -> str | None:
        assert self.pack is not None
        return next((each.path for each in self.pack.lists if each.name == name), None)


class Outcome(msgspec.Struct, frozen=True):
    """What a gate came to: a verdict, or why it must not decide. `lists` says when each list it used was made."""

    verdict: Verdict | OfflineRefusal
    decision: Decision | None = None
    item: Item | None = None
    lists: dict[str, int] = {}

    @property
    def is_admitted(self) -> bool:
        return self.verdict is Verdict.ADMITTED

    @property
    def paid_fen(self) -> int:
        return self.decision.paid_fen if self.decision is not None and self.is_admitted else 0


# --- what cannot be known -----------------------------------------------------------------------------------------


def unchecked(item: Item) -> tuple[Bilingual, ...]:
    """What an offline gate cannot check of a use of this item, in words; nothing for one that it does not serve."""
    if item.offline is None:
        return ()
    from_purse = item.price is not None and item.price.payer == "holder.purse"
    with_pass = any(each.pass_ for each in item.concession)
    counted = item.limit is not None or any(each.quota for each in item.concession)
    by_function = item.function is not None and Medium.CODE in item.media
    told = (
        (True, "是否已在别处使用", "whether it was used elsewhere"),
        (from_purse, "余额是否足够", "whether there is enough in the purse"),
        (
            by_function,
            "二维码所属卡的功能是否开通",
            "whether the function of a code's card is active",
        ),
        (Medium.CARD in item.media, "卡片密文", "a chip's cryptogram"),
        (with_pass, "套票（按无套票计价）", "passes: the price is the one without"),
        (counted, "别处和往日的次数", "uses elsewhere, and of a code's holder on other days"),
        (item.capacity is not None, "其他闸机的接待数", "how many other gates of the point took in"),
        (item.transfer is not None, "别处的换乘", "changes from elsewhere"),
        (item.day_cap_fen is not None, "别处的当日实付", "what was paid elsewhere that day"),
        (
            item.journey is not None,
            "在别处开始的行程（予以放行）",
            "journeys from elsewhere: who is in is let out",
        ),
    )
    return tuple(Bilingual(zh=zh, en=en) for applies, zh, en in told if applies)


# --- reading ------------------------------------------------------------------------------------------------------

_VERDICT_OF: Final = {
    codes.Refusal.MALFORMED: Verdict.CODE_MALFORMED,
    codes.Refusal.UNKNOWN_ISSUER: Verdict.ISSUER_UNKNOWN,
    codes.Refusal.UNKNOWN_KEY: Verdict.KEY_UNKNOWN,
    codes.Refusal.BAD_SIGNATURE: Verdict.SIGNATURE_INVALID,
}


def read(asked: Presentation, file: str | None, known: Knowledge, now: float) -> Shown:
    """Read what was presented at `now` (Unix seconds); `file` is the card file, where a card was shown. Raises nothing:
    whatever a stranger holds up comes to a problem.
    """
    keys = known.pack.public_keys(int(now)) if known.pack is not None else {}
    good = {name: key for name, key in keys.items() if name not in known.withdrawn}
    if asked.card is not None:
        return _read_card(asked.card, file, good, now)
    return _read_code(asked.code or "", good, now)


def _read_code(text: str, keys: Mapping[tuple[str, bytes], PublicKey], now: float) -> Shown:
    """As the platform reads a code: the signature, then the window with five seconds of skew."""
    try:
        claims = codes.verify(codes.lenient(text), keys)
    except codes.CodeRefused as refused:
        return Shown(Medium.CODE, _VERDICT_OF[refused.reason])
    problem = None
    if now < claims.not_before - codes.CLOCK_SKEW_S:
        problem = Verdict.CODE_NOT_YET_VALID
    elif now >= claims.expires + codes.CLOCK_SKEW_S:
        problem = Verdict.CODE_EXPIRED
    day, is_paper = day_of(claims.not_before), claims.via is codes.Via.PAPER
    return Shown(
        Medium.CODE,
        problem,
        claims.issuer,
        tuple(codes_of(claims.classes)),
        listed_in=PAPERS if is_paper else CODES,
        index=claims.ref,
        day=day,
        spends=None if is_paper else f"nonce:{claims.nonce.hex()}",
        good_until=claims.expires + codes.CLOCK_SKEW_S,
        holder=f"{claims.issuer}:{'paper' if is_paper else day}:{claims.ref}",
        via=claims.via,
    )


def _read_card(
    chip: Chip, file: str | None, keys: Mapping[tuple[str, bytes], PublicKey], now: float
) -> Shown:  # fmt: skip
    """A card proves itself by its file: signed, in force, and of the number that the chip says."""
    try:
        said = card_file.verify(file or "", keys)
    except codes.CodeRefused as refused:
        malformed = refused.reason is codes.Refusal.MALFORMED
        return Shown(Medium.CARD, Verdict.CRYPTOGRAM_INVALID if malformed else _VERDICT_OF[refused.reason])
    problem = None
    if said.number != chip.number or now < said.issued - codes.CLOCK_SKEW_S:
        problem = Verdict.CRYPTOGRAM_INVALID
    elif now >= said.expires:
        problem = Verdict.CARD_CANCELLED
    return Shown(
        Medium.CARD,
        problem,
        said.issuer,
        tuple(codes_of(said.classes)),
        tuple(each.value for each in said.functions),
        listed_in=CARDS,
        index=said.serial,
        spends=f"chip:{chip.number}:{chip.counter}",
        holder=f"card:{chip.number}",
    )


# --- deciding -----------------------------------------------------------------------------------------------------


def decide_offline(
    asked: Presentation, shown: Shown, known: Knowledge, memory: Remembered, now: float, trace: Trace | None = None
) -> Outcome:
    """Decide one presentation at `now` (Unix seconds) by what a gate knows; the first refusal that applies is told."""
    if known.pack is None:
        return Outcome(OfflineRefusal.NOT_READY)
    facts = facts_of(asked, shown, known, memory, now)
    item, used = facts.item, lists_used(shown, known)
    refusal = None if item is None else _may_not(item, shown, known, now)
    if refusal is not None:
        return Outcome(refusal, item=item, lists=used)
    decision = decide(facts, trace)
    if decision.verdict is Verdict.ADMITTED and item is not None and item.offline is not None:
        most_fen = max(decision.paid_fen, decision.hold_fen or 0)
        if most_fen > item.offline.limit_fen:
            return Outcome(OfflineRefusal.OVER_LIMIT, decision, item, used)
    return Outcome(decision.verdict, decision, item, used)


def facts_of(asked: Presentation, shown: Shown, known: Knowledge, memory: Remembered, now: float) -> Facts:
    """The facts of a decision, as the platform would load them if it knew no more than this gate."""
    pack = known.pack
    assert pack is not None
    day = day_of(int(now))
    item = pack.item_on(asked.item, day)
    place = pack.place_for(asked.item)
    gate = known.list_for(TERMINALS, None)
    if gate is not None and gate.status(pack.terminal.serial) is not Status.VALID:
        place = msgspec.structs.replace(place, terminal_state="suspended")
    return Facts(
        place=place,
        item=item,
        medium=shown.medium,
        amount_fen=asked.amount_fen,
        problem=shown.problem or _revoked(shown, known),
        replayed=memory.spent,
        standing=_standing(shown, known) if shown.problem is None else None,
        day=day,
        quota_used=memory.quota_used,
        purse_free_fen=FEN_MAX,
        purse_room_fen=FEN_MAX,
        minute=minute_of(now),
        day_kind=pack.kind_of(day),
        areas=pack.area_sets,
        leg=asked.leg,
        journey=_journey(asked, item, memory, pack),
        capacity_used=memory.capacity_used,
        changed_minutes_ago=memory.changed_minutes_ago,
        via=shown.via,
    )


def minute_of(now: float) -> int:
    """The minute of the day in Asia/Shanghai."""
    return (int(now) + _CHINA_S) % DAY_S // 60


def lists_used(shown: Shown, known: Knowledge) -> dict[str, int]:
    """When each list that a decision looks into was made, by name; those that this gate has."""
    issued = {name: known.issued(name) for name in (shown.listed_in, TERMINALS, KEYS)}
    return {name: at for name, at in issued.items() if at is not None}


def _may_not(item: Item, shown: Shown, known: Knowledge, now: float) -> OfflineRefusal | None:
    """Whether this gate may decide on this item at all; a forgery is told as such whatever the lists' age."""
    if item.offline is None:
        return OfflineRefusal.NOT_ALLOWED
    if known.contacted is None or now - known.contacted > item.offline.days * DAY_S:
        return OfflineRefusal.AWAY_TOO_LONG
    if shown.problem is None and any(known.is_too_old(name, now) for name in (shown.listed_in, TERMINALS, KEYS)):
        return OfflineRefusal.LIST_TOO_OLD
    return None


def _revoked(shown: Shown, known: Knowledge) -> Verdict | None:
    """A paper code that its list calls INVALID; its card may be good, and come by another way."""
    held = known.list_for(PAPERS, None) if shown.listed_in == PAPERS else None
    return Verdict.CODE_REVOKED if held is not None and held.status(shown.index) is Status.INVALID else None


_CARD_STATES: Final = {Status.VALID: ACTIVE, Status.SUSPENDED: "lost", Status.INVALID: "cancelled"}


def _standing(shown: Shown, known: Knowledge) -> Standing:
    """What a list and the medium itself say of a card. A day's codes were signed minutes ago for a card that was good,
    so a gate that has been away since before that day's list takes them; the age of its newest list is its limit.
    """
    held = known.list_for(shown.listed_in, shown.day)
    status = Status.VALID if held is None else held.status(shown.index)
    functions = {function.value: ACTIVE if function in shown.functions else "inactive" for function in Function}
    classes = tuple((each, dt.date.min, None) for each in shown.classes)
    return Standing(_CARD_STATES[status], functions, shown.issuer, classes)


def _journey(asked: Presentation, item: Item | None, memory: Remembered, pack: Pack) -> OpenJourney | None:
    if asked.leg is not Leg.OUT or item is None or item.journey is None or memory.journey is not None:
        return memory.journey
    return OpenJourney(pack.point.code, 0, None, 0)
