"""Who pays where a gate admitted and the platform would have refused: a table for rules, properties for money."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.kit.builders import BASE, ITEM, METRO, TOPUP, a_concession, facts, tapping_in, tapping_out

from onecard_kit.admissions import payer_of, stands
from onecard_kit.decide import Facts, decide
from onecard_kit.terms import BEARERS, BORNE_BY_OPERATOR, Offline, Price
from onecard_kit.verdicts import Verdict

OFFLINE = Offline(limit_fen=2000, days=7, shortfall="treasury.city", double="holder", refused="platform")
HOLDER_PAYS = replace(OFFLINE, refused="holder")
RIDE = replace(ITEM, offline=OFFLINE)


def of(changes: dict[str, Any]) -> Facts:
    return facts(changes, replace(BASE, item=RIDE))


def told(changes: dict[str, Any], refusal: Verdict | None = None) -> tuple[int, int, int, int, str]:
    """What is paid, funded by others, waived and lacking, and who bears that."""
    base = of(changes)
    stood = stands(base, refusal or decide(base).verdict)
    d = stood.decision
    assert d.verdict is Verdict.ADMITTED
    return d.paid_fen, d.full_fen - d.paid_fen - d.waived_fen, d.waived_fen, stood.shortfall_fen, stood.borne_by


def test_each_refusal_has_somebody_who_pays() -> None:
    """What is about the card is of `refused`, what the gate could see by itself is the operator's."""
    payers = {verdict: payer_of(RIDE, verdict) for verdict in Verdict if verdict is not Verdict.ADMITTED}
    assert payers.pop(Verdict.REPLAYED) == "holder"
    assert {payers.pop(each) for each in (Verdict.FUNDS_SHORT, Verdict.PURSE_MISSING)} == {"holder"}
    of_card = list(Verdict)[list(Verdict).index(Verdict.CARD_UNKNOWN) :]
    assert payers == {each: "platform" if each in of_card else "operator" for each in payers}
    assert {payer_of(ITEM, each) for each in (Verdict.REPLAYED, Verdict.CARD_LOST)} == {"operator"}


@pytest.mark.parametrize(
    ("changes", "came_to"),
    [
        # The purse pays what it has.
        ({"purse_free_fen": 150}, (150, 50, 0, 50, "treasury.city")),
        ({"purse_free_fen": None}, (0, 200, 0, 200, "treasury.city")),
        ({"purse_free_fen": 150, "item.offline": replace(OFFLINE, shortfall="operator")}, (150, 0, 50, 50, "operator")),
        ({"purse_free_fen": 150, "item.offline": None}, (150, 0, 50, 50, "operator")),
        # A second use of a code is paid like the first.
        ({"replayed": True}, (200, 0, 0, 0, "treasury.city")),
        ({"replayed": True, "purse_free_fen": 20}, (20, 180, 0, 180, "treasury.city")),
        ({"replayed": True, "item.offline": replace(OFFLINE, double="operator")}, (0, 0, 200, 200, "operator")),
        # A card that was lost is not its holder's to pay for.
        ({"standing.card_state": "lost"}, (0, 200, 0, 200, "platform")),
        ({"standing.card_state": "lost", "item.offline": HOLDER_PAYS}, (200, 0, 0, 0, "treasury.city")),
        ({"quota_used": {ITEM.rule(): 3}}, (0, 200, 0, 200, "platform")),
        # Nobody's card, a forged code, a closed point: the gate's own.
        ({"standing": None}, (0, 0, 200, 200, "operator")),
        ({"problem": Verdict.SIGNATURE_INVALID}, (0, 0, 200, 200, "operator")),
        ({"problem": Verdict.CRYPTOGRAM_INVALID}, (0, 0, 200, 200, "operator")),
        ({"place.point_state": "suspended"}, (0, 0, 200, 200, "operator")),
        # There is nothing to pay, or nobody knows what.
        ({"item": None}, (0, 0, 0, 0, "operator")),
        ({"item.price": None, "standing.card_state": "lost"}, (0, 0, 0, 0, "platform")),
        ({"item.price": TOPUP, "purse_room_fen": 0}, (0, 0, 0, 0, "platform")),
    ],
)  # fmt: skip
def test_who_pays(changes: dict[str, Any], came_to: tuple[int, int, int, int, str]) -> None:
    assert told(changes) == came_to


def test_only_what_was_genuine_is_used_up() -> None:
    assert not stands(of({"problem": Verdict.CODE_EXPIRED}), Verdict.CODE_EXPIRED).decision.spent
    assert stands(of({"standing": None}), Verdict.CARD_UNKNOWN).decision.spent


def test_a_concession_is_the_holders_and_nobody_funds_it_for_a_thief() -> None:
    item = replace(RIDE, concession=(a_concession("veteran", 50),))
    veteran = facts({"item": item, "standing.classes": (("veteran", BASE.day, None),)})
    paid = stands(replace(veteran, purse_free_fen=30), Verdict.FUNDS_SHORT)
    assert (paid.decision.paid_fen, paid.decision.funded_fen, paid.shortfall_fen) == (30, 100, 70)
    lost = stands(veteran, Verdict.CARD_LOST)
    assert (lost.decision.concession, lost.shortfall_fen, lost.decision.counts) == (None, 200, ())


def test_a_journey_begins_with_what_can_be_held_and_tells_its_price_at_its_end() -> None:
    metro = replace(METRO, offline=OFFLINE)
    short = stands(tapping_in(metro, purse_free_fen=120), Verdict.FUNDS_SHORT)
    assert (short.decision.hold_fen, short.shortfall_fen, short.borne_by) == (120, 0, "treasury.city")
    lost = stands(tapping_in(metro), Verdict.CARD_LOST)
    assert (lost.decision.hold_fen, lost.shortfall_fen, lost.borne_by) == (0, 0, "platform")
    assert stands(tapping_out(metro, journey=None), Verdict.NO_JOURNEY).decision.full_fen == 0


@given(
    free_fen=st.none() | st.integers(0, 400),
    refusal=st.sampled_from([each for each in Verdict if each is not Verdict.ADMITTED]),
    bearers=st.tuples(*[st.sampled_from(BEARERS)] * 3),
    percent=st.integers(0, 100),
    full_fen=st.integers(0, 500),
)
def test_every_fen_of_the_price_is_paid_by_somebody(
    free_fen: int | None, refusal: Verdict, bearers: tuple[str, str, str], percent: int, full_fen: int
) -> None:
    shortfall, double, refused = bearers
    item = replace(
        RIDE,
        price=Price(payer="holder.purse", payee="operator.receivable", full_fen=full_fen),
        offline=Offline(limit_fen=500, days=7, shortfall=shortfall, double=double, refused=refused),
        concession=(a_concession("everyone", percent),),
    )
    stood = stands(replace(BASE, item=item, purse_free_fen=free_fen), refusal)
    d = stood.decision
    from_another = 0 if stood.borne_by == BORNE_BY_OPERATOR else stood.shortfall_fen
    assert 0 <= d.paid_fen <= (free_fen or 0)
    assert d.paid_fen + d.funded_fen + d.waived_fen + from_another == d.full_fen == full_fen
    assert stood.borne_by in BEARERS
