"""Scenic entry: ticket and gate in one, at the same terms for the whole Delta, free with the park pass."""

import pytest
from tests.stories.city import BEIJING, NANTONG, SHANGHAI, WEEKEND, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

ITEM, HILL, GARDEN = "tourism.scenic_entry", "NT-PARK-P1", "NT-PARK-P2"
MORNING = at(WEEKEND, "09:00")
PARKS, CITY = "NT-PARK operator.receivable purse", "NT-PARK operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


@pytest.mark.parametrize(
    ("classes", "place", "paid_fen", "funded_fen", "concession"),
    [
        ((), NANTONG, 4_800, 0, "everyone_delta"),
        ((), SHANGHAI, 4_800, 0, "everyone_delta"),
        ((), BEIJING, 6_000, 0, None),
        (("senior_60",), SHANGHAI, 3_000, 3_000, "senior_60"),
        (("senior_70",), SHANGHAI, 0, 6_000, "senior_70"),
        (("senior_70",), BEIJING, 6_000, 0, None),
        (("student",), SHANGHAI, 3_000, 0, "student"),
        (("disabled_severe", "care_free"), BEIJING, 0, 6_000, "disabled_severe"),
        # Two that leave nothing to pay: the one declared first.
        (("veteran", "senior_70"), NANTONG, 0, 6_000, "senior_70"),
    ],
)
def test_each_pays_what_class_and_place_leave(
    city: StoryCity, classes: tuple[str, ...], place: str, paid_fen: int, funded_fen: int, concession: str | None
) -> None:
    card = city.a_holder(*classes, place=place)
    with city.money() as moved:
        entry = city.use(card, ITEM, HILL, MORNING)
    assert (entry.full_fen, entry.paid_fen, entry.concession) == (6_000, paid_fen, concession)
    wanted = {PARKS: paid_fen, CITY: funded_fen, TREASURY: -funded_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(fen=4_799), ITEM, HILL, MORNING) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder(fen=None), ITEM, HILL, MORNING) is Verdict.PURSE_MISSING
    assert city.verdict(city.a_holder(), ITEM, HILL, at(WEEKEND, "06:29")) is Verdict.POINT_CLOSED
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, HILL, MORNING) is Verdict.FUNCTION_INACTIVE


def test_a_full_garden_takes_nobody_and_nobodys_money(city: StoryCity) -> None:
    city.run(
        "INSERT INTO entitlements_capacity (point_id, rule, period, used)"
        " SELECT id, $1, '2026-03-21', 1499 FROM catalogue_point WHERE code = $2",
        ITEM, GARDEN,
    )  # fmt: skip
    saturday = at("2026-03-21")
    last, late = city.together(*(city.line(city.a_holder(), ITEM, GARDEN, saturday) for _ in range(2)))
    assert (last.verdict, late.verdict, late.paid_fen) == (Verdict.ADMITTED, Verdict.CAPACITY_FULL, 0)
    assert late.balance_fen == 10_000
    city.give_back(last, GARDEN, saturday)
    assert city.verdict(city.a_holder("senior_70"), ITEM, GARDEN, saturday) is Verdict.ADMITTED


def test_a_ticket_is_given_back_on_its_own_day(city: StoryCity) -> None:
    card = city.a_holder("senior_60")
    used, kept = city.use(card, ITEM, HILL, MORNING), city.use(card, ITEM, HILL, MORNING)
    with city.money() as moved:
        city.give_back(used, GARDEN, at(WEEKEND, "18:00"))
    assert moved == {PARKS: -3_000, CITY: -3_000, TREASURY: 3_000}
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(kept, HILL, at("2026-03-15", "00:00"))
