"""Reading a code at the platform: what a stranger made of one never raises and never passes, and a gate without a line
reads each as the platform does.
"""

import datetime as dt

from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.kit.packs import FORGER, LASTING, NOON, PLACE, RIDE, SIGNER, a_code, knowing

from onecard.kernel.ecards.refs import Refs
from onecard.kernel.uses.present import read_chip, read_code
from onecard_kit import codes, offline
from onecard_kit.presentation import Presentation
from onecard_kit.verdicts import Verdict

KEYS = {(PLACE, signer.kid): signer.public_key for signer in (SIGNER, LASTING)}
REFS = Refs(bytes(range(32)))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567.-_abcxyz01 \n="


def read(code: str, now: float = NOON) -> Verdict | None:
    """Why the platform does not take a code at a moment; None: it does. A gate says the same."""
    ours = read_code(code, dt.datetime.fromtimestamp(now, dt.UTC), KEYS, REFS).problem
    gates = offline.read(Presentation(RIDE.code, code), None, knowing(), now).problem
    assert gates == ours
    return ours


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, str]:
    """A good code, and what somebody made of it."""
    good = a_code(draw(st.sampled_from([SIGNER, SIGNER, FORGER])))
    characters = list(good)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(characters) - 1))
        how = draw(st.sampled_from(["change", "drop", "insert", "repeat"]))
        letter = draw(st.sampled_from(ALPHABET) | st.characters())
        if how == "drop" and len(characters) > 1:
            del characters[at]
        elif how == "change":
            characters[at] = letter
        else:
            characters.insert(at, letter if how == "insert" else characters[at])
    return good, "".join(characters)


@given(altered())
@settings(max_examples=400)
def test_a_fuzzed_code_never_raises_and_never_passes(codes_: tuple[str, str]) -> None:
    good, code = codes_
    problem = read(code)
    event(str(problem))
    assert problem is not None or codes.lenient(code) == good


@given(st.text(max_size=300) | st.from_regex(r"OC1\.[A-Z2-7]{0,300}", fullmatch=True) | st.binary().map(repr))
def test_any_text_is_refused(text: str) -> None:
    assert read(text) is not None


@given(
    begins=st.integers(NOON - 200, NOON + 200),
    lasts=st.integers(1, 200),
    now=st.floats(NOON - 300, NOON + 600),
    via=st.sampled_from(codes.Via),
    ref=st.integers(0, 2**24 - 1),
)
@settings(max_examples=300)
def test_a_gate_and_the_platform_hold_a_code_good_at_the_same_moments(
    begins: int, lasts: int, now: float, via: codes.Via, ref: int
) -> None:
    signer = LASTING if via is codes.Via.PAPER else SIGNER
    code = a_code(signer, not_before=begins, expires=begins + lasts, via=via, ref=ref, kid=signer.kid)
    skew_s = codes.CLOCK_SKEW_S
    assert (read(code, now) is None) == (begins - skew_s <= now < begins + lasts + skew_s)


@given(st.from_regex(r"[ -~]{9}", fullmatch=True), st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_a_chip_that_is_none_of_ours_never_passes(number: str, counter: int, cryptogram: bytes) -> None:
    shown = read_chip(number, counter, cryptogram, b"", bytes(32), "T-1", "journal", 1)
    assert shown.problem is Verdict.CRYPTOGRAM_INVALID
