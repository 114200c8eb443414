"""Deciding without a line: the same verdict as from the platform's facts, and nothing that a stranger shows passes."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.kit.builders import BY_DISTANCE, BY_THE_HOUR, JOURNEY, a_concession
from tests.kit.packs import (
    DAY,
    FORGER,
    LASTING,
    NOON,
    PLACE,
    RIDE,
    SIGNER,
    TERMINALS_PATH,
    WEEK_S,
    a_code,
    a_list,
    a_pack,
    a_tap,
    knowing,
)

from onecard_kit import codes, offline
from onecard_kit.classes import BY_NUMBER, codes_of
from onecard_kit.decide import Areas, Facts, Place, Standing, decide
from onecard_kit.offline import OFFLINE_WORDS, Knowledge, Outcome, Remembered, decide_offline, read
from onecard_kit.pack import PackTerminal
from onecard_kit.presentation import Chip, Presentation
from onecard_kit.status_list import Status, StatusList
from onecard_kit.suites import ED25519, Purpose, Signer
from onecard_kit.terms import FEN_MAX, Function, Item, Leg, Manner, Medium, Offline, Period, Quota, Transfer, When
from onecard_kit.verdicts import Verdict

NOTHING = Remembered()


def came_to(
    code: str | None = None, tap: tuple[Chip, str] | None = None, known: Knowledge | None = None,
    memory: Remembered = NOTHING, now: float = NOON, **asked: Any,
) -> Outcome:  # fmt: skip
    known = known or knowing()
    chip, file = tap or (None, None)
    if code is None and chip is None:
        code = a_code()
    presented = Presentation(RIDE.code, code, chip, **asked)
    return decide_offline(presented, read(presented, file, known, now), known, memory, now)


# --- what passes and what does not --------------------------------------------------------------------------------


def test_a_good_code_and_a_good_card_pass() -> None:
    for outcome in (came_to(), came_to(tap=a_tap())):
        assert (outcome.verdict, outcome.paid_fen) == (Verdict.ADMITTED, 200)
    assert came_to().lists == {"codes": NOON - 60, "terminals": NOON - 60, "keys": NOON - 60}
    assert came_to(tap=a_tap()).lists == {"cards": NOON - 60, "terminals": NOON - 60, "keys": NOON - 60}


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ({"code": "OC1."}, Verdict.CODE_MALFORMED),
        ({"code": a_code(FORGER)}, Verdict.SIGNATURE_INVALID),
        ({"code": a_code(issuer="310000")}, Verdict.ISSUER_UNKNOWN),
        ({"code": a_code(Signer.of(ED25519, b"\x00\x09", bytes(32)), kid=b"\x00\x09")}, Verdict.KEY_UNKNOWN),
        ({"code": a_code(), "now": NOON + 65}, Verdict.CODE_EXPIRED),
        ({"code": a_code(), "now": NOON - 6}, Verdict.CODE_NOT_YET_VALID),
        ({"memory": Remembered(spent=True)}, Verdict.REPLAYED),
        ({"known": knowing(marked={77: Status.SUSPENDED})}, Verdict.CARD_LOST),
        ({"known": knowing(marked={77: Status.INVALID})}, Verdict.CARD_CANCELLED),
        ({"known": knowing(withdrawn={(PLACE, SIGNER.kid)})}, Verdict.KEY_UNKNOWN),
        ({"tap": a_tap(), "known": knowing(marked={77: Status.SUSPENDED})}, Verdict.CARD_LOST),
        ({"tap": a_tap(number="C20260002")}, Verdict.CRYPTOGRAM_INVALID),
        ({"tap": (a_tap()[0], "")}, Verdict.CRYPTOGRAM_INVALID),
        ({"tap": a_tap(Signer.of(ED25519, b"\x00\x02", bytes(32), Purpose.LASTING))}, Verdict.SIGNATURE_INVALID),
        ({"tap": a_tap(), "now": NOON + 86_400}, Verdict.CARD_CANCELLED),
        ({"tap": a_tap(functions=(Function.SOCIAL_SECURITY,))}, Verdict.FUNCTION_INACTIVE),
        ({"tap": a_tap(), "memory": Remembered(spent=True)}, Verdict.REPLAYED),
    ],
)
def test_what_a_gate_refuses_by_itself(shown: dict[str, Any], verdict: Verdict) -> None:
    assert came_to(**shown).verdict is verdict


@pytest.mark.parametrize(
    ("item", "attended", "verdict"),
    [
        (RIDE, True, Verdict.MEDIUM_NOT_ACCEPTED),
        (replace(RIDE, price=None, concession=()), True, Verdict.ADMITTED),
        (replace(RIDE, price=None, concession=()), False, Verdict.NOT_ATTENDED),
        (replace(RIDE, price=None, concession=(), paper=Manner.REFUSE), True, Verdict.MEDIUM_NOT_ACCEPTED),
    ],
)
def test_paper_never_pays_and_is_looked_at(item: Item, attended: bool, verdict: str) -> None:
    terminal = PackTerminal("NT-BUS-0001", 3, "active", attended=attended)
    known = knowing(item, pack=a_pack(item, terminal=terminal))
    paper = a_code(LASTING, kid=LASTING.kid, via=codes.Via.PAPER, expires=NOON + 86_400)
    assert came_to(code=paper, known=known).verdict == verdict


def test_paper_is_looked_up_by_a_number_of_its_own_and_not_used_up() -> None:
    paper = a_code(LASTING, kid=LASTING.kid, via=codes.Via.PAPER, expires=NOON + 86_400)
    shown = read(Presentation(RIDE.code, paper), None, knowing(), NOON)
    assert (shown.listed_in, shown.spends, shown.via) == ("papers", None, codes.Via.PAPER)


@pytest.mark.parametrize(
    ("mark", "verdict"),
    [
        (Status.VALID, Verdict.ADMITTED),
        (Status.SUSPENDED, Verdict.CARD_LOST),
        (Status.INVALID, Verdict.CODE_REVOKED),
    ],
)
def test_what_its_list_says_of_a_paper_code(mark: Status, verdict: Verdict) -> None:
    terminal = PackTerminal("NT-BUS-0001", 3, "active", attended=True)
    known = knowing(marked={77: mark}, pack=a_pack(replace(RIDE, price=None, concession=()), terminal=terminal))
    paper = a_code(LASTING, kid=LASTING.kid, via=codes.Via.PAPER, expires=NOON + 86_400)
    assert came_to(code=paper, known=known).verdict is verdict


def test_a_code_on_a_relatives_phone_is_taken_as_the_item_says() -> None:
    for manner, verdict in (
        (Manner.TAKE, Verdict.ADMITTED),
        (Manner.LOOK, Verdict.NOT_ATTENDED),
        (Manner.REFUSE, Verdict.MEDIUM_NOT_ACCEPTED),
    ):
        known = knowing(replace(RIDE, family=manner))
        assert came_to(code=a_code(via=codes.Via.FAMILY), known=known).verdict is verdict


def test_a_suspended_terminal_admits_nobody() -> None:
    lists = {**knowing().lists, TERMINALS_PATH: a_list(TERMINALS_PATH, {3: Status.SUSPENDED})}
    assert came_to(known=knowing(lists=lists)).verdict is Verdict.TERMINAL_SUSPENDED


def test_whether_a_gate_may_decide_is_asked_first() -> None:
    old = {path: replace_issued(each, NOON - WEEK_S - 1) for path, each in knowing().lists.items()}
    lost_and_old = knowing(marked={77: Status.SUSPENDED}, lists=old)
    for known, refusal in (
        (Knowledge(), "NOT_READY"),
        (knowing(replace(RIDE, offline=None)), "NOT_ALLOWED"),
        (knowing(contacted=None), "AWAY_TOO_LONG"),
        (knowing(contacted=NOON - 7 * 86_400 - 1), "AWAY_TOO_LONG"),
        (knowing(lists={}), "LIST_TOO_OLD"),
        (lost_and_old, "LIST_TOO_OLD"),
        (knowing(keys_issued=None), "LIST_TOO_OLD"),
        (knowing(keys_issued=NOON - WEEK_S - 1), "LIST_TOO_OLD"),
        (knowing(replace(RIDE, offline=Offline(limit_fen=199, days=7, shortfall="operator"))), "OVER_LIMIT"),
    ):
        outcome = came_to(known=known)
        assert outcome.verdict == f"OFFLINE_{refusal}"
        assert (outcome.is_admitted, outcome.paid_fen) == (False, 0)
    for known in (knowing(contacted=NOON - 7 * 86_400), knowing(keys_issued=NOON - WEEK_S)):
        assert came_to(known=known).is_admitted
    assert came_to(code=a_code(FORGER), known=lost_and_old).verdict is Verdict.SIGNATURE_INVALID


def replace_issued(made: StatusList, issued: int) -> StatusList:
    return StatusList(made.subject, issued, made.expires, made.ttl_s, made.packed)


def test_a_day_without_a_list_of_its_own_goes_by_the_age_of_the_newest() -> None:
    """After two days away there is no list for today's refs; its codes were signed minutes ago for good cards."""
    three_days = 3 * 86_400
    now = NOON + three_days
    code = a_code(not_before=now - now % 60, expires=now - now % 60 + 60)
    known = knowing(marked={77: Status.SUSPENDED})
    assert came_to(code=code, known=known, now=now).is_admitted
    too_late = NOON + WEEK_S
    code = a_code(not_before=too_late - too_late % 60, expires=too_late - too_late % 60 + 60)
    at_home = replace(known, contacted=too_late)
    assert came_to(code=code, known=at_home, now=too_late).verdict == "OFFLINE_LIST_TOO_OLD"


def test_who_is_in_is_let_out() -> None:
    by_distance = replace(RIDE, price=BY_DISTANCE, journey=JOURNEY)
    by_the_hour = replace(
        RIDE, price=BY_THE_HOUR, journey=JOURNEY, offline=Offline(limit_fen=2000, days=7, shortfall="operator")
    )
    for item in (by_distance, by_the_hour):
        assert came_to(known=knowing(item), leg=Leg.OUT).is_admitted
        assert came_to(known=knowing(item), leg=Leg.IN).is_admitted
    held = replace(by_the_hour, offline=Offline(limit_fen=1999, days=7, shortfall="operator"))
    assert came_to(known=knowing(held), leg=Leg.IN).verdict == "OFFLINE_OVER_LIMIT"


def test_what_this_gate_has_seen_counts() -> None:
    limited = replace(RIDE, limit=Quota(count=2, period=Period.DAY), capacity=Quota(count=5, period=Period.DAY))
    known = knowing(limited)
    assert came_to(known=known, memory=Remembered(quota_used={limited.rule(): 1})).is_admitted
    assert came_to(known=known, memory=Remembered(quota_used={limited.rule(): 2})).verdict is Verdict.QUOTA_EXHAUSTED
    assert came_to(known=known, memory=Remembered(capacity_used=5)).verdict is Verdict.CAPACITY_FULL


def test_a_use_is_counted_under_another_name_each_day() -> None:
    known = knowing()
    today = read(Presentation(RIDE.code, a_code()), None, known, NOON)
    again = read(Presentation(RIDE.code, a_code()), None, known, NOON)
    tomorrow = NOON + 86_400
    later = a_code(not_before=tomorrow - tomorrow % 60, expires=tomorrow - tomorrow % 60 + 60)
    assert today.holder == again.holder != read(Presentation(RIDE.code, later), None, known, tomorrow).holder
    assert today.spends != again.spends
    assert today.good_until == NOON + 60 + codes.CLOCK_SKEW_S


def test_each_item_says_what_an_offline_gate_cannot_check() -> None:
    assert offline.unchecked(replace(RIDE, offline=None)) == ()
    plain = replace(RIDE, price=None, function=None, concession=(), media=(Medium.CODE,))
    assert [each.en for each in offline.unchecked(plain)] == ["whether it was used elsewhere"]
    assert len(offline.unchecked(RIDE)) > 3
    everything = replace(
        RIDE, price=BY_DISTANCE, journey=JOURNEY, limit=Quota(count=1, period=Period.DAY), day_cap_fen=1000,
        capacity=Quota(count=1, period=Period.DAY), concession=(a_concession(None, pass_="a.pass"),),
        transfer=Transfer(after=("a.b",), within_minutes=60, off_fen=100),
    )  # fmt: skip
    assert len(offline.unchecked(everything)) == 10


def test_every_refusal_has_words_and_no_verdict_its_name() -> None:
    assert set(OFFLINE_WORDS) == set(offline.OfflineRefusal)
    assert not {each.value for each in offline.OfflineRefusal} & {each.value for each in Verdict}


# --- the same as at the platform ----------------------------------------------------------------------------------

class_numbers = st.lists(st.sampled_from(sorted(BY_NUMBER)), max_size=4, unique=True).map(
    lambda some: tuple(sorted(some))
)
concessions = st.lists(
    st.builds(
        a_concession,
        class_=st.sampled_from(["everyone", "senior_60", "senior_70", "student", "veteran"]),
        percent=st.sampled_from([0, 10, 50, 95, 100]),
        region=st.sampled_from(["all", "local", "yangtze_delta"]),
        quota=st.none() | st.builds(Quota, count=st.integers(1, 3), period=st.sampled_from(Period)),
        when=st.none() | st.just(When(hours=(("06:00", "12:00"),))),
    ),
    max_size=4,
    unique_by=lambda each: each.key,
).map(tuple)
items = st.builds(
    lambda **changes: replace(RIDE, **changes),
    concession=concessions,
    classes=st.sampled_from([(), ("senior_60", "student")]),
    region=st.sampled_from(["all", "local", "yangtze_delta"]),
    limit=st.none() | st.builds(Quota, count=st.integers(1, 3), period=st.sampled_from(Period)),
    when=st.none() | st.just(When(hours=(("06:00", "12:00"),))),
    function=st.none() | st.sampled_from(Function),
    media=st.sampled_from([(Medium.CODE,), (Medium.CARD,), (Medium.CODE, Medium.CARD)]),
)
NOT_VALID = {"lost": Status.SUSPENDED, "cancelled": Status.INVALID}


@given(
    item=items,
    numbers=class_numbers,
    functions=st.lists(st.sampled_from(Function), unique=True).map(
        lambda some: tuple(f for f in Function if f in some)
    ),
    state=st.sampled_from(["active", "lost", "cancelled"]),
    by_card=st.booleans(),
    used=st.integers(0, 3),
    spent=st.booleans(),
    minutes=st.integers(0, 1439),
)
@settings(max_examples=400, deadline=None)
def test_a_gate_and_the_platform_come_to_the_same(
    item: Item, numbers: tuple[int, ...], functions: tuple[Function, ...], state: str, by_card: bool, used: int,
    spent: bool, minutes: int,
) -> None:  # fmt: skip
    """The facts as the platform's tables hold them, and the same told by code or card file, pack, list and memory."""
    now = NOON - 720 * 60 + minutes * 60
    quota_used = {rule: used for rule, _ in item.counts}
    marked = {77: NOT_VALID[state]} if state in NOT_VALID else {}
    functions = functions if by_card else tuple(Function)
    of_platform = Facts(
        place=Place("active", "active", "active", "active", True, PLACE, "west"),
        item=item,
        medium=Medium.CARD if by_card else Medium.CODE,
        amount_fen=None,
        problem=None,
        replayed=spent,
        standing=Standing(
            state,
            {each.value: "active" if each in functions else "inactive" for each in Function},
            PLACE,
            tuple((each, dt.date(2020, 1, 1), None) for each in codes_of(numbers)),
        ),
        day=DAY,
        quota_used=quota_used,
        purse_free_fen=FEN_MAX,
        purse_room_fen=FEN_MAX,
        minute=minutes,
        areas=Areas({"yangtze_delta": ("31", "32", "33", "34")}),
    )
    outcome = came_to(
        code=None if by_card else a_code(not_before=now, expires=now + 60, classes=numbers),
        tap=a_tap(classes=numbers, functions=functions) if by_card else None,
        known=knowing(item, marked),
        memory=Remembered(spent=spent, quota_used=quota_used),
        now=now,
    )
    assert outcome.decision == decide(of_platform)


# --- strangers ----------------------------------------------------------------------------------------------------


def altered(data: st.DataObject, text: str) -> str:
    """A text with some of its characters changed, taken out, put in or doubled."""
    characters = list(text)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(characters) - 1))
        how = data.draw(st.sampled_from(["change", "drop", "insert", "swap"]))
        if how == "change":
            characters[at] = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567.-_abcxyz") | st.characters())
        elif how == "drop" and len(characters) > 1:
            del characters[at]
        elif how == "insert":
            characters.insert(at, data.draw(st.sampled_from("A7 \n=.")))
        else:
            other = data.draw(st.integers(0, len(characters) - 1))
            characters[at], characters[other] = characters[other], characters[at]
    return "".join(characters)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_fuzzed_code_never_raises_and_never_passes(data: st.DataObject) -> None:
    good = a_code()
    code = altered(data, good)
    if codes.lenient(code) == good:
        return
    assert not came_to(code=code).is_admitted


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_fuzzed_card_file_never_raises_and_never_passes(data: st.DataObject) -> None:
    chip, good = a_tap()
    file = altered(data, good)
    if file == good:
        return
    assert not came_to(tap=(chip, file)).is_admitted


@given(st.text(max_size=300) | st.from_regex(r"OC1\.[A-Z2-7]{0,300}", fullmatch=True), st.booleans())
def test_any_text_is_refused(text: str, as_file: bool) -> None:
    chip, _ = a_tap()
    outcome = came_to(tap=(chip, text)) if as_file else came_to(code=text)
    assert not outcome.is_admitted
