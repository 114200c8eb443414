"""Step 1, present (出示): read what was shown. Pure functions over text and keys; whose card it is, and whether it is
genuine."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from onecard.kernel.ecards.refs import Refs
from onecard_kit import chips, codes
from onecard_kit.refs import day_of
from onecard_kit.suites import PublicKey
from onecard_kit.terms import Medium
from onecard_kit.verdicts import Verdict


class Presented(msgspec.Struct, frozen=True, gc=False):
    """What reading a medium came to. One of `serial` (of the e-card), `paper` (of the paper code) and `number_index`
    (of the card) finds the card.

    `nonce` with `expires`, or `counter`, is what must not be used twice; a paper code has neither. `problem` says why
    it is not genuine or not now, `via` who shows it.
    """

    medium: Medium
    problem: Verdict | None = None
    serial: int | None = None
    number_index: bytes | None = None
    kid: bytes | None = None
    nonce: bytes | None = None
    expires: dt.datetime | None = None
    counter: int | None = None
    paper: int | None = None
    via: codes.Via = codes.Via.SELF


_VERDICT_OF = {
    codes.Refusal.MALFORMED: Verdict.CODE_MALFORMED,
    codes.Refusal.UNKNOWN_ISSUER: Verdict.ISSUER_UNKNOWN,
    codes.Refusal.UNKNOWN_KEY: Verdict.KEY_UNKNOWN,
    codes.Refusal.BAD_SIGNATURE: Verdict.SIGNATURE_INVALID,
}


def read_code(text: str, at: dt.datetime, keys: Mapping[tuple[str, bytes], PublicKey], refs: Refs) -> Presented:
    """Read a code shown at `at`: verify the signature, undo the day's permutation, judge the window (±5 s of skew). A
    paper code names itself, for as long as it lasts.
    """
    try:
        claims = codes.verify(codes.lenient(text), keys)
    except codes.CodeRefused as refused:
        return Presented(Medium.CODE, _VERDICT_OF[refused.reason])
    now = at.timestamp()
    expires = dt.datetime.fromtimestamp(claims.expires, dt.UTC)
    problem = None
    if now < claims.not_before - codes.CLOCK_SKEW_S:
        problem = Verdict.CODE_NOT_YET_VALID
    elif now >= claims.expires + codes.CLOCK_SKEW_S:
        problem = Verdict.CODE_EXPIRED
    if claims.via is codes.Via.PAPER:
        return Presented(Medium.CODE, problem, kid=claims.kid, paper=claims.ref, via=claims.via)
    serial = refs.on(day_of(claims.not_before)).serial(claims.ref)
    return Presented(
        Medium.CODE, problem, serial=serial, kid=claims.kid, nonce=claims.nonce, expires=expires, via=claims.via
    )


def read_number(found: Mapping[str, Any] | None, at: dt.datetime) -> Presented:
    """Read a number that was said aloud at `at`: `found` is the row it stands in (``ecards/sql/number.sql``)."""
    if found is None:
        return Presented(Medium.NUMBER, Verdict.NUMBER_UNKNOWN)
    problem = Verdict.NUMBER_EXPIRED if at >= found["expires_at"] else None
    return Presented(
        Medium.NUMBER, problem, serial=found["ecard_id"], nonce=found["nonce"], expires=found["expires_at"]
    )  # fmt: skip


def read_chip(
    number: str,
    counter: int,
    cryptogram: bytes,
    number_index: bytes,
    chip_root: bytes,
    terminal: str,
    journal: str,
    sequence: int,
) -> Presented:
    """Read a chip's answer: its cryptogram binds number, counter, terminal, journal and sequence (simulated keys)."""
    key = chips.card_key(chip_root, number)
    genuine = chips.is_genuine(cryptogram, key, number, counter, terminal, journal, sequence)
    problem = None if genuine else Verdict.CRYPTOGRAM_INVALID
    return Presented(Medium.CARD, problem, number_index=number_index, counter=counter)
