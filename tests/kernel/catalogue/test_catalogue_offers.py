"""What an item needs from its point, checked when it is offered and when the point changes."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from tests.kernel.catalogue.builders import ENTRY, RIDE_PRICE, a_point, an_item, load, load_published

from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import actions, queries, rules
from onecard.kernel.catalogue.models import Item, Offer, Point, State, Terminal
from onecard_kit.terms import DayKind, When

pytestmark = pytest.mark.django_db
CODE = "culture.library_entry"
VERBS = ("offer", "stop_offering", "set_hours", "set_position", "mark_demonstration")
OFFICER = Actor("staff:5", frozenset(f"catalogue.{verb}" for verb in VERBS), ("3206",))
OFFICE_HOURS = When(days=(DayKind.WORKING,), hours=(("08:00", "17:00"),))
# What a verb takes besides the point.
REST: dict[str, tuple[object, ...]] = {
    "offer": (CODE,),
    "stop_offering": (CODE, "x"),
    "set_hours": ([OFFICE_HOURS],),
    "set_position": (None,),
}
DISTANCE = (
    'price = { from = "holder.purse", to = "operator.receivable", distance = { steps = [[6000, 200], [9000, 300]],'
    ' line = [{ code = "1", stations = [["here", 0], ["there", 5000]] }] } }'
)


def offered() -> list[tuple[str, str, int | None]]:
    return list(Offer.objects.order_by("point__code").values_list("point__code", "item_id", "capacity_count"))


def test_offering_leaves_one_fact_and_repeating_changes_nothing(tmp_path: Path) -> None:
    load_published(tmp_path, ENTRY)
    a_point(attended=False)
    for _ in range(2):
        actions.offer(OFFICER, "point", CODE)
    assert offered() == [("point", CODE, None)]
    for _ in range(2):
        actions.stop_offering(OFFICER, "point", CODE, "moved away")
    assert offered() == []
    facts = [(fact.verb, fact.place, fact.reason) for fact in audit.facts_about("point:point")]
    assert facts == [("catalogue.stop_offering", "320682", "moved away"), ("catalogue.offer", "320682", "")]


def test_a_point_may_set_its_own_capacity(tmp_path: Path) -> None:
    load_published(tmp_path, an_item(CODE, 'capacity = { count = 100, period = "day" }'), an_item("culture.museum"))
    a_point(attended=False)
    actions.offer(OFFICER, "point", CODE, capacity_count=30)
    actions.offer(OFFICER, "point", CODE, capacity_count=40)
    assert offered() == [("point", CODE, 40)]
    for code, count in ((CODE, 0), ("culture.museum", 10)):
        with pytest.raises(Conflict, match="CAPACITY_UNDECLARED"):
            actions.offer(OFFICER, "point", code, capacity_count=count)


LACKS = [
    ("OFFER_UNATTENDED", "needs = { attended = true }"),
    ("OFFER_MEDIA", 'needs = { media = ["card"] }'),
    ("OFFER_MEDIA", 'media = ["card"]'),
    ("OFFER_HOURS", 'needs = { when = { days = ["working"], hours = [["08:00", "18:00"]] } }'),
    ("OFFER_HOURS", 'needs = { when = { days = ["weekend"], hours = [["10:00", "11:00"]] } }'),
    ("OFFER_OUTSIDE_PILOT", 'pilot_areas = ["320623"]'),
    ("OFFER_NO_FARE", DISTANCE + "\njourney = { ends_after_hours = 6 }"),
]


@pytest.mark.parametrize(("error", "line"), LACKS)
def test_a_point_that_lacks_what_the_item_needs(tmp_path: Path, error: str, line: str) -> None:
    load_published(tmp_path, an_item(CODE, line))
    point = a_point(attended=False)
    Point.objects.filter(pk=point.pk).update(
        media=["code"], hours=[{"days": ["working"], "hours": [["09:00", "17:00"]]}]
    )
    with pytest.raises(Conflict, match=error) as refused:
        actions.offer(OFFICER, "point", CODE)
    assert "point" in refused.value.en
    assert refused.value.zh
    assert refused.value.next_zh
    assert offered() == []


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    load_published(tmp_path, an_item(CODE, 'needs = { attended = true, media = ["card"] }'))
    Point.objects.filter(pk=a_point(attended=False).pk).update(media=["code"])
    with pytest.raises(Conflict, match="OFFER_UNATTENDED") as refused:
        actions.offer(OFFICER, "point", CODE)
    assert "staff beside it; terminals that read card" in refused.value.en
    Terminal.objects.create(code="desk", point=Point.objects.get(), attended=True)
    with pytest.raises(Conflict, match="OFFER_MEDIA"):
        actions.offer(OFFICER, "point", CODE)
    Point.objects.update(media=["code", "card"])
    actions.offer(OFFICER, "point", CODE)


def test_an_ended_terminal_attends_to_nobody(tmp_path: Path) -> None:
    load_published(tmp_path, an_item(CODE, "needs = { attended = true }"))
    a_point(attended=True)
    Terminal.objects.update(state=State.ENDED)
    with pytest.raises(Conflict, match="OFFER_UNATTENDED"):
        actions.offer(OFFICER, "point", CODE)


@pytest.mark.parametrize(
    ("lines", "area", "division", "error"),
    [
        (['level = "county"'], "320682", "320623", "OFFER_OUTSIDE_AREA"),
        (['level = "county"'], "320682", "320682", None),
        ([], "320600", "320582", "OFFER_OUTSIDE_AREA"),
        (['level = "province"'], "320000", "320582", None),
        (['level = "region"'], "delta", "310101", None),
        (['level = "region"'], "delta", "330102", "OFFER_OUTSIDE_AREA"),
        (['pilot_areas = ["320682"]'], "320600", "320682", None),
        (['pilot_areas = ["320682", "320623"]'], "320600", "320623", None),
        (['pilot_areas = ["320682"]'], "320600", "320623", "OFFER_OUTSIDE_PILOT"),
    ],
)
def test_an_item_is_offered_in_its_area_and_its_pilot_areas_only(
    tmp_path: Path, lines: list[str], area: str, division: str, error: str | None
) -> None:
    load_published(tmp_path, an_item(CODE, *lines, area=area))
    a_point(division=division, attended=False)
    if error is None:
        actions.offer(system("test"), "point", CODE)
    else:
        with pytest.raises(Conflict, match=error):
            actions.offer(system("test"), "point", CODE)


def test_a_fare_needs_its_station(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("transit.metro", DISTANCE, "journey = { ends_after_hours = 6 }"))
    a_point("here", attended=False)
    actions.offer(OFFICER, "here", "transit.metro")


def test_a_draft_is_not_offered(tmp_path: Path) -> None:
    load(tmp_path, ENTRY)
    a_point(attended=False)
    with pytest.raises(Conflict, match="ITEM_UNPUBLISHED"):
        actions.offer(OFFICER, "point", CODE)


def test_what_a_later_version_needs_counts_too(tmp_path: Path) -> None:
    load_published(tmp_path, ENTRY)
    load_published(tmp_path, an_item(CODE, "needs = { attended = true }", version=2, starts_on="2099-01-01"))
    a_point(attended=False)
    with pytest.raises(Conflict, match="OFFER_UNATTENDED"):
        actions.offer(OFFICER, "point", CODE)


def test_what_has_ended_is_not_offered(tmp_path: Path) -> None:
    load_published(tmp_path, ENTRY)
    a_point(attended=False)
    Point.objects.update(state=State.ENDED)
    with pytest.raises(Conflict, match="ENDED"):
        actions.offer(OFFICER, "point", CODE)
    Point.objects.update(state=State.ACTIVE)
    Item.objects.update(state=State.ENDED)
    with pytest.raises(Conflict, match="ENDED"):
        actions.offer(OFFICER, "point", CODE)


def test_hours_are_set_once_and_only_so_far_as_offers_allow(tmp_path: Path) -> None:
    needs = 'needs = { when = { days = ["working"], hours = [["08:00", "17:00"]] } }'
    load_published(tmp_path, an_item(CODE, needs), an_item("culture.museum", RIDE_PRICE))
    a_point(attended=False)
    actions.offer(OFFICER, "point", CODE)
    for _ in range(2):
        actions.set_hours(OFFICER, "point", [OFFICE_HOURS])
    point = Point.objects.get()
    assert point.hours == [{"days": ["working"], "hours": [["08:00", "17:00"]]}]
    assert queries.hours_of(point) == (OFFICE_HOURS,)
    with pytest.raises(Conflict, match="OFFER_HOURS"):
        actions.set_hours(OFFICER, "point", [When(days=(DayKind.WORKING,), hours=(("08:00", "16:00"),))])
    with pytest.raises(BadInput, match=r"HOURS_MALFORMED.*\$\[0\]\.hours"):
        actions.set_hours(OFFICER, "point", [When(hours=(("17:00", "08:00"),))])
    point.refresh_from_db()
    assert queries.hours_of(point) == (OFFICE_HOURS,)
    assert [fact.verb for fact in audit.facts_about("point:point")] == ["catalogue.set_hours", "catalogue.offer"]
    actions.set_hours(OFFICER, "point", [])
    assert queries.hours_of(Point.objects.get()) == ()


@pytest.mark.parametrize(
    ("hours", "covered"),
    [
        ((), True),
        ((OFFICE_HOURS,), True),
        ((When(days=(DayKind.WORKING,)),), True),
        ((When(days=(DayKind.WEEKEND,)),), False),
        ((When(days=(DayKind.WORKING,), hours=(("08:00", "12:00"),)),), False),
        ((When(days=(DayKind.WORKING,), hours=(("08:00", "12:00"), ("13:00", "17:00"))),), False),
        (
            (
                When(days=(DayKind.WORKING,), hours=(("08:00", "12:00"),)),
                When(days=(DayKind.WORKING, DayKind.WEEKEND), hours=(("12:00", "20:00"),)),
            ),
            True,
        ),
    ],
)
def test_hours_that_add_up_cover_what_is_needed(hours: tuple[When, ...], covered: bool) -> None:
    assert rules.opens_for(hours, OFFICE_HOURS) is covered


def test_demonstration_points_are_marked_and_counted_by_county() -> None:
    for code, division in (("a", "320682"), ("b", "320682"), ("c", "320623"), ("d", "320582")):
        a_point(code, division)
        for _ in range(2):
            actions.mark_demonstration(system("test"), code)
    assert queries.count_demonstration_points() == {"320582": 1, "320623": 1, "320682": 2}
    assert queries.count_demonstration_points(("3206",)) == {"320623": 1, "320682": 2}
    assert queries.count_demonstration_points(()) == {}
    assert [fact.verb for fact in audit.facts_about("point:a")] == ["catalogue.mark_demonstration"]
    actions.mark_demonstration(system("test"), "a", marked=False)
    Point.objects.filter(code="c").update(state=State.SUSPENDED)
    assert queries.count_demonstration_points(("3206",)) == {"320682": 1}


def test_a_point_stands_somewhere_on_the_map_or_nowhere() -> None:
    a_point()
    for _ in range(2):
        actions.set_position(OFFICER, "point", (32.0, 120.9))
    point = Point.objects.get()
    assert (point.latitude_deg, point.longitude_deg) == (32.0, 120.9)
    assert [fact.verb for fact in audit.facts_about("point:point")] == ["catalogue.set_position"]
    for wrong in ((120.9, 32.0), (32.0, 181.0), (float("nan"), 120.9)):
        with pytest.raises(BadInput, match="POSITION_MALFORMED"):
            actions.set_position(OFFICER, "point", wrong)
    actions.set_position(OFFICER, "point", None)
    assert Point.objects.filter(latitude_deg=None, longitude_deg=None).count() == 1
    with pytest.raises(IntegrityError, match="catalogue_point_position"), transaction.atomic():
        Point.objects.update(latitude_deg=32.0)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_takes_its_permission_in_the_points_place(tmp_path: Path, verb: str) -> None:
    load_published(tmp_path, ENTRY)
    a_point(attended=False)

    def do(actor: Actor, point: str = "point") -> None:
        getattr(actions, verb)(actor, point, *REST.get(verb, ()))

    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        do(Actor("staff:8", OFFICER.permissions - {f"catalogue.{verb}"}))
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        do(Actor("staff:8", OFFICER.permissions, ("3205",)))
    with pytest.raises(NotFound, match="POINT_UNKNOWN"):
        do(system("test"), "nowhere")
    assert audit.facts_about("point:point") == []
    do(OFFICER)


def test_stopping_takes_a_reason() -> None:
    a_point()
    with pytest.raises(BadInput, match="REASON_MISSING"):
        actions.stop_offering(OFFICER, "point", CODE, " ")
