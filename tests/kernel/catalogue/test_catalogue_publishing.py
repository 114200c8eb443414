"""The life of a version: two people, legal steps only, and what the database refuses when code forgets."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, transaction
from tests.kernel.catalogue.builders import (
    CHECKER,
    ENTRY,
    LOADER,
    RIDE,
    a_point,
    an_item,
    load,
    load_published,
    publish,
)

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import actions, jobs, publishing, queries
from onecard.kernel.catalogue.models import Item, ItemVersion, Offer, Stage
from onecard_kit.terms import Bilingual, Decided

pytestmark = pytest.mark.django_db
CODE = "transit.bus_ride"
DECIDED = Decided(by=Bilingual(zh="专班", en="The group"), on=dt.date(2025, 12, 2))


@pytest.fixture
def ride(tmp_path: Path) -> ItemVersion:
    """A draft."""
    load(tmp_path, RIDE)
    return ItemVersion.objects.get()


def in_force() -> list[str]:
    return [item.code for item in queries.in_force(clock.today())]


def test_a_version_is_published_by_two_people_with_a_fact_each(ride: ItemVersion) -> None:
    for _ in range(2):
        publishing.submit(LOADER, CODE, 1)
    assert in_force() == []
    for _ in range(2):
        publishing.publish(CHECKER, CODE, 1)
    assert in_force() == [CODE]
    ride.refresh_from_db()
    assert (ride.stage, ride.submitted_by, ride.published_by) == (Stage.PUBLISHED, "staff:5", "staff:6")
    assert ride.published_at is not None
    facts = [(fact.verb, fact.actor, fact.place) for fact in audit.facts_about(f"item:{CODE}")]
    assert facts == [
        ("catalogue.publish", "staff:6", "320600"),
        ("catalogue.submit", "staff:5", "320600"),
        ("catalogue.load", "staff:5", "320600"),
    ]
    assert audit.facts_about(f"item:{CODE}")[0].detail["decided_on"] == "2025-12-01"


def test_a_version_is_sent_back_with_a_reason_and_may_change_again(ride: ItemVersion, tmp_path: Path) -> None:
    publishing.submit(LOADER, CODE, 1)
    with pytest.raises(BadInput, match="REASON_MISSING"):
        publishing.send_back(CHECKER, CODE, 1, " ")
    publishing.send_back(CHECKER, CODE, 1, "the fare is wrong")
    assert audit.facts_about(f"item:{CODE}")[0].reason == "the fare is wrong"
    assert load(tmp_path, RIDE.replace("full_fen = 200", "full_fen = 300")).changed == [f"{CODE}@1"]
    publish(CODE)


@pytest.mark.parametrize("maker", ["loader", "submitter"])
def test_the_maker_is_not_the_checker(ride: ItemVersion, maker: str) -> None:
    everything = Actor("staff:5" if maker == "loader" else "staff:7", frozenset({"*"}))
    publishing.submit(Actor("staff:7", frozenset({"*"})), CODE, 1)
    with pytest.raises(NotPermitted, match="MAKER_IS_CHECKER"):
        publishing.publish(everything, CODE, 1)
    assert in_force() == []


@pytest.mark.parametrize("officer", ["staff:7", "staff:8"])
def test_what_the_command_line_brought_takes_two_officers(tmp_path: Path, officer: str) -> None:
    """Whoever loads by the command line may be an officer, too: their one sign-in is not enough."""
    load(tmp_path, RIDE, actor=system("operator"))
    publishing.submit(Actor("staff:7", frozenset({"*"})), CODE, 1)
    assert in_force() == []
    if officer == "staff:7":
        with pytest.raises(NotPermitted, match="MAKER_IS_CHECKER"):
            publishing.publish(Actor(officer, frozenset({"*"})), CODE, 1)
        return
    publishing.publish(Actor(officer, frozenset({"*"})), CODE, 1)
    assert in_force() == [CODE]


STEPS: dict[str, Callable[[], None]] = {
    "submit": lambda: publishing.submit(LOADER, CODE, 1),
    "send_back": lambda: publishing.send_back(CHECKER, CODE, 1, "x"),
    "publish": lambda: publishing.publish(CHECKER, CODE, 1),
    "end": lambda: publishing.end(CHECKER, CODE, 1, clock.today(), "x"),
}
ILLEGAL = [
    ([], ["send_back", "publish", "end"]),
    (["submit"], ["end"]),
    (["submit", "publish"], ["submit", "send_back"]),
    (["submit", "publish", "end"], ["submit", "send_back", "publish"]),
]


@pytest.mark.parametrize(("taken", "refused"), ILLEGAL)
def test_no_other_step_is_legal(ride: ItemVersion, taken: list[str], refused: list[str]) -> None:
    for step in taken:
        STEPS[step]()
    before = ItemVersion.objects.values().get()
    facts = len(audit.facts_about(f"item:{CODE}"))
    for step in refused:
        with pytest.raises(Conflict, match="STAGE_WRONG"):
            STEPS[step]()
    assert ItemVersion.objects.values().get() == before
    assert len(audit.facts_about(f"item:{CODE}")) == facts


@pytest.mark.parametrize("step", STEPS)
def test_each_step_takes_its_permission_in_the_items_place(ride: ItemVersion, step: str) -> None:
    verbs: dict[str, Callable[[Actor], None]] = {
        "submit": lambda actor: publishing.submit(actor, CODE, 1),
        "send_back": lambda actor: publishing.send_back(actor, CODE, 1, "x"),
        "publish": lambda actor: publishing.publish(actor, CODE, 1),
        "end": lambda actor: publishing.end(actor, CODE, 1, clock.today(), "x"),
    }
    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        verbs[step](Actor("staff:8", frozenset({"catalogue.load"})))
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        verbs[step](Actor("staff:8", frozenset({"*"}), ("3205",)))


@pytest.mark.parametrize(("taken", "step"), [([], "submit"), (["submit"], "send_back"), (["submit"], "publish"),
                                             (["submit", "publish"], "end")])  # fmt: skip
def test_no_step_is_taken_by_nobody(ride: ItemVersion, taken: list[str], step: str) -> None:
    for each in taken:
        STEPS[each]()
    verbs: dict[str, Callable[[Actor], None]] = {
        "submit": lambda actor: publishing.submit(actor, CODE, 1),
        "send_back": lambda actor: publishing.send_back(actor, CODE, 1, "x"),
        "publish": lambda actor: publishing.publish(actor, CODE, 1),
        "end": lambda actor: publishing.end(actor, CODE, 1, clock.today(), "x"),
    }
    before = ItemVersion.objects.values().get()
    with pytest.raises(NotPermitted, match="OFFICER_NEEDED"):
        verbs[step](system("operator"))
    assert ItemVersion.objects.values().get() == before


def test_an_item_of_a_region_takes_officers_of_all_places(tmp_path: Path) -> None:
    load(tmp_path, an_item("transit.delta_ride", 'level = "region"', area="delta"))
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        publishing.submit(Actor("staff:8", frozenset({"*"}), ("32",)), "transit.delta_ride", 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_version_that_is_not_there(step: str) -> None:
    with pytest.raises(NotFound, match="VERSION_UNKNOWN"):
        STEPS[step]()


def test_who_decided_may_be_said_when_publishing(tmp_path: Path) -> None:
    load(tmp_path, "\n".join(line for line in ENTRY.splitlines() if not line.startswith("decided")))
    code = "culture.library_entry"
    publishing.submit(LOADER, code, 1)
    with pytest.raises(BadInput, match="UNDECIDED"):
        publishing.publish(CHECKER, code, 1)
    late = Decided(by=DECIDED.by, on=clock.today() + dt.timedelta(days=1))
    with pytest.raises(BadInput, match="DECIDED_IN_FUTURE"):
        publishing.publish(CHECKER, code, 1, late)
    publishing.publish(CHECKER, code, 1, DECIDED)
    version = ItemVersion.objects.get()
    assert (version.decided_by_zh, version.decided_by_en, version.decided_on) == ("专班", "The group", DECIDED.on)


def test_a_new_version_ends_the_open_one_where_it_begins(ride: ItemVersion, tmp_path: Path) -> None:
    publish(CODE)
    begins = clock.today() + dt.timedelta(days=30)
    load(tmp_path, RIDE.replace("version = 1", "version = 2").replace("2026-01-01", begins.isoformat()))
    ride.refresh_from_db()
    assert ride.ends_on is None, "a draft ends nothing"
    publish(CODE, 2)
    days = ItemVersion.objects.order_by("version").values_list("starts_on", "ends_on")
    assert list(days) == [(dt.date(2026, 1, 1), begins), (begins, None)]
    load(tmp_path, RIDE)


def test_a_new_version_takes_no_past_day_away(ride: ItemVersion, tmp_path: Path) -> None:
    publish(CODE)
    load(tmp_path, RIDE.replace("version = 1", "version = 2").replace("2026-01-01", "2026-02-01"))
    with pytest.raises(Conflict, match="IN_THE_PAST"):
        publish(CODE, 2)


def test_the_upper_item_is_published_first(tmp_path: Path) -> None:
    upper = an_item("transit.province_ride", 'level = "province"', area="320000")
    load(tmp_path, upper, an_item("transit.city_ride", 'extends = "transit.province_ride"'))
    with pytest.raises(Conflict, match="UPPER_UNPUBLISHED"):
        publish("transit.city_ride")
    publish("transit.province_ride")
    publish("transit.city_ride")


def test_an_offer_made_meanwhile_is_looked_at_again(tmp_path: Path) -> None:
    load_published(tmp_path, ENTRY)
    begins = clock.today() + dt.timedelta(days=1)
    load(tmp_path, an_item("culture.library_entry", "needs = { attended = true }", version=2, starts_on=str(begins)))
    actions.offer(system("test"), a_point(attended=False).code, "culture.library_entry")
    publishing.submit(LOADER, "culture.library_entry", 2)
    with pytest.raises(Conflict, match="OFFER_UNATTENDED"):
        publishing.publish(CHECKER, "culture.library_entry", 2)
    assert Offer.objects.count() == 1


# --- The end ----------------------------------------------------------------------------------------------------------


def test_ending_from_today_takes_effect_at_once(ride: ItemVersion) -> None:
    publish(CODE)
    for _ in range(2):
        publishing.end(CHECKER, CODE, 1, clock.today(), "the line was closed")
    ride.refresh_from_db()
    assert (ride.stage, ride.ends_on) == (Stage.ENDED, clock.today())
    assert in_force() == []
    facts = [fact.verb for fact in audit.facts_about(f"item:{CODE}")]
    assert facts.count("catalogue.end") == 1


def test_ending_later_waits_for_its_day_and_may_be_brought_forward(
    ride: ItemVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(CODE)
    today = clock.today()
    publishing.end(CHECKER, CODE, 1, today + dt.timedelta(days=9), "x")
    publishing.end(CHECKER, CODE, 1, today + dt.timedelta(days=2), "sooner")
    with pytest.raises(Conflict, match="ENDS_EARLIER"):
        publishing.end(CHECKER, CODE, 1, today + dt.timedelta(days=9), "later")
    assert in_force() == [CODE]
    assert jobs.end_due(0) == 0
    monkeypatch.setattr(clock, "today", lambda: today + dt.timedelta(days=2))
    assert in_force() == []
    assert jobs.end_due(0) == 1
    ride.refresh_from_db()
    assert ride.stage == Stage.ENDED


def test_a_version_does_not_end_in_the_past_or_without_a_reason(ride: ItemVersion) -> None:
    publish(CODE)
    with pytest.raises(Conflict, match="IN_THE_PAST"):
        publishing.end(CHECKER, CODE, 1, clock.today() - dt.timedelta(days=1), "x")
    with pytest.raises(BadInput, match="REASON_MISSING"):
        publishing.end(CHECKER, CODE, 1, clock.today(), "")


def test_a_version_that_has_not_begun_never_begins(tmp_path: Path) -> None:
    load(tmp_path, RIDE.replace("2026-01-01", "2099-01-01"))
    publish(CODE)
    publishing.end(CHECKER, CODE, 1, clock.today(), "a mistake")
    version = ItemVersion.objects.get()
    assert (version.stage, version.ends_on) == (Stage.PUBLISHED, version.starts_on)
    load(tmp_path, RIDE.replace("2026-01-01", "2099-01-01").replace("version = 1", "version = 2"))
    publish(CODE, 2)


def test_the_history_tells_who_decided(ride: ItemVersion, tmp_path: Path) -> None:
    publish(CODE)
    load(tmp_path, RIDE.replace("version = 1", "version = 2").replace("2026-01-01", "2099-01-01"))
    told = [(row.version, row.stage, row.decided_by_en, row.published_by) for row in queries.versions_of(CODE)]
    assert told == [(2, "draft", "Test group", ""), (1, "published", "Test group", "staff:6")]
    assert [row.version for row in queries.versions_of(CODE, before=2, limit=1)] == [1]


# --- What the database refuses ----------------------------------------------------------------------------------------


def changed(pk: int, **values: Any) -> None:
    with transaction.atomic():
        ItemVersion.objects.filter(pk=pk).update(**values)


@pytest.mark.parametrize(("taken", "refused"), ILLEGAL)
def test_the_database_refuses_a_step_that_is_none(ride: ItemVersion, taken: list[str], refused: list[str]) -> None:
    for step in taken:
        STEPS[step]()
    stages = {"submit": Stage.REVIEW, "send_back": Stage.DRAFT, "publish": Stage.PUBLISHED, "end": Stage.ENDED}
    ride.refresh_from_db()
    for step in refused:
        if stages[step] == ride.stage:
            continue
        with pytest.raises(IntegrityError, match="STAGE_SKIPPED"):
            changed(ride.pk, stage=stages[step], ends_on=dt.date(2099, 1, 1), published_by="x")


def test_the_database_refuses_to_publish_what_nobody_decided(ride: ItemVersion) -> None:
    publishing.submit(LOADER, CODE, 1)
    for values in (
        {"published_by": "", "published_at": clock.now()},
        {"published_by": "x", "published_at": None},
        {"published_by": "x", "published_at": clock.now(), "decided_on": None},
    ):
        with pytest.raises(IntegrityError, match="UNDECIDED"):
            changed(ride.pk, stage=Stage.PUBLISHED, **values)


@pytest.mark.parametrize("maker", ["staff:5", "staff:7"])
def test_the_database_refuses_a_maker_who_publishes(ride: ItemVersion, maker: str) -> None:
    publishing.submit(Actor("staff:7", frozenset({"*"})), CODE, 1)
    with pytest.raises(IntegrityError, match="MAKER_IS_CHECKER"):
        changed(ride.pk, stage=Stage.PUBLISHED, published_by=maker, published_at=clock.now())


def test_the_database_lets_only_its_owner_set_a_node_up(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["staff"]) as staff:
        staff.execute("INSERT INTO catalogue_item (code, field, level, area) VALUES ('a.b', 'a', 'city', '320600')")
        staff.execute(
            "INSERT INTO catalogue_item_version (item_id, version, starts_on, declaration, digest, stage, loaded_by)"
            " VALUES ('a.b', 1, '2030-01-01', '{}', '', 'draft', 'system:x')"
        )
        staff.execute("UPDATE catalogue_item_version SET stage = 'review', submitted_by = 'system:x'")
        with pytest.raises(psycopg.IntegrityError, match="MAKER_IS_CHECKER"):
            staff.execute(
                "UPDATE catalogue_item_version SET stage = 'published', published_by = 'system:x',"
                " published_at = now(), decided_by_zh = 'z', decided_by_en = 'z', decided_on = '2020-01-01'"
            )
        staff.rollback()


@pytest.mark.parametrize("taken", [["submit"], ["submit", "publish"], ["submit", "publish", "end"]])
@pytest.mark.parametrize(
    "values",
    [
        {"declaration": {}},
        {"digest": b""},
        {"starts_on": dt.date(2025, 1, 1)},
        {"loaded_by": "staff:9"},
        {"version": 7},
        {"ends_on": dt.date(2099, 1, 1)},
    ],
    ids=lambda values: next(iter(values)),
)
def test_the_database_refuses_to_change_what_was_submitted(
    ride: ItemVersion, taken: list[str], values: dict[str, Any]
) -> None:
    for step in taken:
        STEPS[step]()
    if taken == ["submit", "publish"] and "ends_on" in values:
        changed(ride.pk, **values)
        values = {"ends_on": dt.date(2099, 1, 2)}
    with pytest.raises(IntegrityError, match="APPEND_ONLY"):
        changed(ride.pk, **values)


def test_the_database_never_deletes_a_version(ride: ItemVersion) -> None:
    with pytest.raises(IntegrityError, match="APPEND_ONLY"), transaction.atomic():
        ride.delete()


def test_the_database_refuses_two_published_versions_of_one_day(ride: ItemVersion) -> None:
    publish(CODE)
    same = {"item_id": CODE, "starts_on": dt.date(2030, 1, 1), "declaration": {}, "digest": b""}
    ItemVersion.objects.create(version=2, **same)
    with pytest.raises(IntegrityError, match="VERSIONS_OVERLAP"), transaction.atomic():
        ItemVersion.objects.create(version=3, stage=Stage.PUBLISHED, **same)


def test_the_database_keeps_a_published_item_where_it_stands(ride: ItemVersion) -> None:
    publish(CODE)
    with pytest.raises(IntegrityError, match="APPEND_ONLY"), transaction.atomic():
        Item.objects.filter(pk=CODE).update(area="320500")
    Item.objects.filter(pk=CODE).update(state="suspended")


@pytest.mark.parametrize(("upper", "lower"), [("city", "city"), ("county", "city"), ("city", "region")])
def test_the_database_refuses_levels_upside_down(upper: str, lower: str) -> None:
    Item.objects.create(code="a.upper", field="a", level=upper, area="320600")
    with pytest.raises(IntegrityError, match="LEVELS_UPSIDE_DOWN"), transaction.atomic():
        Item.objects.create(code="a.lower", field="a", level=lower, area="320600", extends_id="a.upper")
    Item.objects.create(code="a.fits", field="a", level="county", area="320682", extends_id=None)


def test_a_role_begins_a_version_as_a_draft_only(urls: dict[str, str]) -> None:
    columns = "INSERT INTO catalogue_item_version (item_id, version, starts_on, declaration, digest, stage) VALUES "
    with psycopg.connect(urls["staff"]) as staff:
        staff.execute("INSERT INTO catalogue_item (code, field, level, area) VALUES ('a.b', 'a', 'city', '320600')")
        staff.execute(columns + "('a.b', 1, '2030-01-01', '{}', '', 'draft')")
        with pytest.raises(psycopg.IntegrityError, match="STAGE_SKIPPED"):
            staff.execute(columns + "('a.b', 2, '2030-01-01', '{}', '', 'published')")
        staff.rollback()


def test_officers_publish_and_the_worker_ends_under_their_own_roles(fresh_database: dict[str, str]) -> None:
    """The statements of the verbs, as the database's roles: what a grant forgets shows here."""
    with psycopg.connect(fresh_database["staff"]) as staff:
        staff.execute("INSERT INTO catalogue_item (code, field, level, area) VALUES ('a.b', 'a', 'city', '320600')")
        staff.execute(
            "INSERT INTO catalogue_item_version (item_id, version, starts_on, declaration, digest, stage)"
            " VALUES ('a.b', 1, '2020-01-01', '{}', '', 'draft')"
        )
        staff.execute("UPDATE catalogue_item_version SET stage = 'review', submitted_by = 'x', loaded_by = 'x'")
        staff.execute(
            "UPDATE catalogue_item_version SET stage = 'published', published_by = 'y', published_at = now(),"
            " decided_by_zh = 'z', decided_by_en = 'z', decided_on = '2020-01-01'"
        )
        staff.execute("UPDATE catalogue_item_version SET ends_on = %s", [clock.today() - dt.timedelta(days=1)])
        staff.commit()
    with psycopg.connect(fresh_database["worker"]) as worker:
        ended = worker.execute("UPDATE catalogue_item_version SET stage = 'ended' WHERE ends_on < %s", [clock.today()])
        assert ended.rowcount == 1


def test_two_who_publish_at_once_do_not_both(fresh_database: dict[str, str]) -> None:
    """The second waits for the item and then sees what the first published."""
    version = "INSERT INTO catalogue_item_version (item_id, version, starts_on, declaration, digest) VALUES "
    publish_one = (
        "UPDATE catalogue_item_version SET stage = 'published', published_by = 'y', published_at = now(),"
        " decided_by_zh = 'z', decided_on = '2020-01-01' WHERE item_id = 'a.race' AND version = "
    )
    with psycopg.connect(fresh_database["owner"]) as first, psycopg.connect(fresh_database["owner"]) as second:
        first.execute("INSERT INTO catalogue_item (code, field, level, area) VALUES ('a.race', 'a', 'city', '320600')")
        first.execute(version + "('a.race', 1, '2020-01-01', '{}', ''), ('a.race', 2, '2020-01-01', '{}', '')")
        first.execute("UPDATE catalogue_item_version SET stage = 'review' WHERE item_id = 'a.race'")
        first.commit()
        first.execute(publish_one + "1")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(second.execute, publish_one + "2")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            first.commit()
            with pytest.raises(psycopg.IntegrityError, match="VERSIONS_OVERLAP"):
                waiting.result(timeout=20)


def test_every_change_revises_the_catalogue(ride: ItemVersion, urls: dict[str, str]) -> None:
    """What a gateway remembers of places is read again: sets of places are among it."""
    from onecard.foundation.postgres.raw import rows

    def number() -> int:
        return int(rows("SELECT number FROM catalogue_revision")[0][0])

    before = number()
    rows("UPDATE catalogue_area_set SET places = places")
    assert number() == before + 1
    publishing.submit(LOADER, CODE, 1)
    assert number() == before + 2
