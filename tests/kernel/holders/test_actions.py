"""Verbs of holders against the database: what is kept, what is refused, what the trail tells."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from onecard.foundation import clock, keys
from onecard.foundation.actors import Actor, system
from onecard.foundation.crypto import open_sealed
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted, OneCardError
from onecard.foundation.postgres.raw import rows
from onecard.kernel.holders import actions, loading, queries, rules
from onecard.kernel.holders.models import Certificate, Correction, Holder, HolderClass

pytestmark = pytest.mark.django_db

CLERK = Actor("staff:1", frozenset({"*"}), ("3206",))
NAME, PHONE, ADDRESS = "张小明", "15400000001", "虚构路1号"


def a_number(birth: dt.date = dt.date(1950, 5, 1), sequence: int = 1, area: str = "990601") -> str:
    first_17 = f"{area}{birth:%Y%m%d}{sequence:03d}"
    return first_17 + rules.check_character(first_17)


def an_application(**changes: Any) -> actions.Application:
    return actions.Application(
        **{"place": "320600", "number": a_number(), "name": NAME, "phone": PHONE, "address": ADDRESS, **changes}
    )


def a_holder(**changes: Any) -> Holder:
    return actions.register(CLERK, an_application(**changes), demo=True)


def facts() -> list[tuple[Any, ...]]:
    return rows("SELECT actor, verb, subject, place, reason, detail FROM audit_fact ORDER BY id")


def verbs() -> list[str]:
    return [fact[1] for fact in facts()]


def queued() -> list[tuple[str, dict[str, Any]]]:
    return [(job.task_name, job.args) for job in ProcrastinateJob.objects.order_by("id")]


def day(ahead: int) -> dt.date:
    return clock.today() + dt.timedelta(days=ahead)


def classes(holder: Holder) -> list[str]:
    return queries.classes_on(holder.pk, clock.today())


# --- Registering


def test_a_registered_holder_lies_sealed() -> None:
    holder = Holder.objects.get(pk=a_holder().pk)
    ring = keys.load("identity")
    assert (holder.birth_date, holder.sex, holder.life, holder.synthetic) == (dt.date(1950, 5, 1), 1, "alive", True)
    assert (holder.version, holder.place) == (1, "320600")
    for field, plain in {"number": a_number(), "name": NAME, "phone": PHONE, "address": ADDRESS}.items():
        sealed = bytes(getattr(holder, f"{field}_sealed"))
        assert plain.encode() not in sealed
        assert loading.open_field(ring, field, holder.pk, sealed) == plain


def test_registering_the_same_again_changes_nothing() -> None:
    first = a_holder()
    assert a_holder(name=" 张 小明", number=a_number().lower()).pk == first.pk
    assert Holder.objects.count() == 1
    assert verbs() == ["holders.register"]


@pytest.mark.parametrize("other", [{"name": "张大明"}, {"phone": ""}, {"address": "虚构路2号"}, {"place": "320601"}])
def test_registering_a_number_with_other_content_conflicts(other: dict[str, str]) -> None:
    a_holder()
    with pytest.raises(Conflict, match="HOLDER_EXISTS"):
        a_holder(**other)
    assert verbs() == ["holders.register"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"number": "1"}, "ID_LENGTH"),
        ({"name": "1"}, "NAME_FORM"),
        ({"phone": "1"}, "PHONE_FORM"),
        ({"place": "3206"}, "PLACE_FORM"),
        ({"address": "长" * 201}, "ADDRESS_LENGTH"),
    ],
)
def test_bad_input_writes_nothing(fault: dict[str, str], code: str) -> None:
    with pytest.raises(BadInput, match=code):
        a_holder(**fault)
    assert not Holder.objects.exists()
    assert facts() == []


def test_an_invented_person_is_refused_outside_a_demo_node() -> None:
    with pytest.raises(BadInput, match="ID_SYNTHETIC"):
        actions.register(CLERK, an_application())


def test_who_loses_the_race_to_register_finds_the_winner() -> None:
    """Both looked and saw nobody; the second insert waits for the first and then yields to it."""
    winner, ring = a_holder(), keys.load("identity")
    found = actions._insert(ring, actions._opened(ring, Holder.objects.get(pk=winner.pk)))
    assert (found.holder.pk, found.is_new) == (winner.pk, False)


def test_registering_takes_the_permission_in_the_place() -> None:
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        a_holder(place="330100")
    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        actions.register(Actor("staff:2"), an_application(), demo=True)


def test_a_holder_without_phone_and_address_is_whole() -> None:
    holder = a_holder(phone="", address="")
    assert (holder.phone_sealed, holder.phone_index, holder.address_sealed) == (None, None, None)


def test_classes_by_age_are_kept_with_their_days() -> None:
    found = HolderClass.objects.filter(holder=a_holder()).values_list("code", "from_day", "to_day", "source")
    assert sorted(found) == [
        ("pupil_6_14", dt.date(1956, 5, 1), dt.date(1965, 5, 1), "birth"),
        ("senior_60", dt.date(2010, 5, 1), dt.date(2020, 5, 1), "birth"),
        ("senior_70", dt.date(2020, 5, 1), None, "birth"),
    ]


def test_a_value_moved_to_another_row_does_not_open() -> None:
    one, two = a_holder(), a_holder(number=a_number(sequence=2), name="李四")
    Holder.objects.filter(pk=two.pk).update(name_sealed=one.name_sealed)
    with pytest.raises(OneCardError, match="SEAL_BROKEN"):
        queries.by_id(CLERK, two.pk)


def test_the_row_of_a_verb_is_the_row_of_a_load() -> None:
    """COPY brings the columns `holder_row` names; the verb must write the same ones."""
    columns = {field.column for field in Holder._meta.fields}
    assert set(loading.HOLDER_COLUMNS) == columns - {"created_at", "updated_at", "version"}
    assert set(loading.CERTIFICATE_COLUMNS) == {f.column for f in Certificate._meta.fields} - {
        "granted_at",
        "withdrawn_at",
    }
    assert set(loading.CLASS_COLUMNS) == {field.column for field in HolderClass._meta.fields} - {"id"}


# --- Correcting


def test_a_correction_keeps_what_stood_there() -> None:
    holder = a_holder()
    corrected = actions.correct(CLERK, holder.pk, "name", "张晓明", "户口簿记载变更", version=1)
    assert corrected.version == 2
    assert [line.id for line in queries.by_name(CLERK, "张晓明").lines] == [holder.pk]
    assert queries.by_name(CLERK, NAME).lines == []
    kept = Correction.objects.get()
    assert (kept.field, kept.actor, kept.reason) == ("name", "staff:1", "户口簿记载变更")
    assert open_sealed(keys.load("identity"), kept.old_sealed, f"holders_correction.old:{kept.pk}").decode() == NAME


def test_a_repeated_correction_changes_nothing() -> None:
    holder = a_holder()
    for _ in range(2):
        assert actions.correct(CLERK, holder.pk, "phone", "15400000002", "本人更换号码", version=1).version == 2
    assert verbs() == ["holders.register", "holders.correct"]


def test_a_correction_of_what_somebody_else_changed_conflicts() -> None:
    holder = a_holder()
    actions.correct(CLERK, holder.pk, "phone", "15400000002", "本人更换号码", version=1)
    with pytest.raises(Conflict, match="VERSION_CHANGED"):
        actions.correct(CLERK, holder.pk, "address", "虚构路3号", "搬家", version=1)


def test_a_corrected_number_brings_birth_sex_and_classes() -> None:
    holder = a_holder()
    number = a_number(dt.date(2000, 2, 29), sequence=2)
    after = actions.correct(CLERK, holder.pk, "number", number, "登记时录入错误", version=1, demo=True)
    assert (after.birth_date, after.sex) == (dt.date(2000, 2, 29), 2)
    assert classes(holder) == []
    assert HolderClass.objects.filter(holder=holder).count() == 3
    assert queued() == [("cards.refresh_standing", {"holder_id": holder.pk})]
    assert queries.by_number(CLERK, a_number()) is None
    assert [line.id for line in queries.by_initials(CLERK, "ZXM", 2000).lines] == [holder.pk]


def test_a_number_of_another_holder_is_refused() -> None:
    holder = a_holder()
    a_holder(number=a_number(sequence=2))
    with pytest.raises(Conflict, match="NUMBER_TAKEN"):
        actions.correct(CLERK, holder.pk, "number", a_number(sequence=2), "登记时录入错误", version=1, demo=True)
    assert queries.by_number(CLERK, a_number()) is not None
    assert Correction.objects.count() == 0


def test_what_was_accepted_once_is_not_judged_anew() -> None:
    """A later table of divisions, or a node that stopped being a demo, must not keep a phone from being corrected."""
    holder = a_holder()
    assert actions.correct(CLERK, holder.pk, "phone", "15400000002", "本人更换号码", version=1, demo=False).version == 2


def test_clearing_a_phone_clears_its_index() -> None:
    holder = a_holder()
    actions.correct(CLERK, holder.pk, "phone", "", "本人要求删除", version=1)
    assert queries.by_phone(CLERK, PHONE).lines == []


@pytest.mark.parametrize(
    ("reason", "code"),
    [("", "REASON_MISSING"), (" ", "REASON_MISSING"), ("字" * 201, "REASON_MISSING"),
     ("张小明改名", "REASON_PERSONAL"), ("改为张晓明", "REASON_PERSONAL"), ("电话15400000001", "REASON_PERSONAL")],
)  # fmt: skip
def test_a_reason_is_given_and_tells_no_person(reason: str, code: str) -> None:
    holder = a_holder()
    with pytest.raises(BadInput, match=code):
        actions.correct(CLERK, holder.pk, "name", "张晓明", reason, version=1)


def test_other_fields_cannot_be_corrected() -> None:
    with pytest.raises(BadInput, match="FIELD_NOT_CORRECTABLE"):
        actions.correct(CLERK, a_holder().pk, "life", "alive", "x", version=1)


def test_an_unknown_holder_is_not_found() -> None:
    with pytest.raises(NotFound, match="HOLDER_UNKNOWN"):
        actions.correct(CLERK, 0, "name", "张三", "x", version=1)


# --- Certificates


def grant(holder: Holder, kind: str = "disability_other", **changes: Any) -> Certificate:
    days = {"valid_from": day(-10), "valid_to": day(10), **changes}
    return actions.grant_certificate(CLERK, holder.pk, kind, "残疾人联合会", number="A1", **days)


def test_a_certificate_gives_its_classes_and_its_withdrawal_ends_them() -> None:
    holder = a_holder()
    certificate = grant(holder)
    assert classes(holder) == ["care_half", "disabled", "senior_70"]
    assert queries.classes_on(holder.pk, day(10)) == ["care_half", "disabled", "senior_70"]
    assert queries.classes_on(holder.pk, day(11)) == ["senior_70"]
    actions.withdraw_certificate(CLERK, certificate.pk, "复核不符合条件")
    assert classes(holder) == ["senior_70"]
    assert queries.classes_on(holder.pk, day(-1)) == ["care_half", "disabled", "senior_70"]
    assert queued() == [("cards.refresh_standing", {"holder_id": holder.pk})] * 2


def test_repeating_a_grant_or_a_withdrawal_changes_nothing() -> None:
    holder = a_holder()
    assert grant(holder).pk == grant(holder).pk
    for _ in range(2):
        actions.withdraw_certificate(CLERK, Certificate.objects.get().pk, "复核不符合条件")
    assert verbs() == ["holders.register", "holders.grant_certificate", "holders.withdraw_certificate"]
    assert len(queued()) == 2
    assert grant(holder).pk != Certificate.objects.earliest("id").pk  # a withdrawn one may be granted anew


def test_the_same_certificate_with_other_content_conflicts() -> None:
    holder = a_holder()
    grant(holder)
    with pytest.raises(Conflict, match="CERTIFICATE_EXISTS"):
        grant(holder, valid_to=None)


@pytest.mark.parametrize(
    ("kind", "issuer", "valid_to", "code"),
    [
        ("astronaut", "x", None, "CERTIFICATE_KIND"),
        ("teacher", " ", None, "CERTIFICATE_ISSUER"),
        ("teacher", "x", dt.date(2020, 1, 1), "CERTIFICATE_DAYS"),
    ],
)
def test_a_malformed_certificate_is_refused(kind: str, issuer: str, valid_to: dt.date | None, code: str) -> None:
    with pytest.raises(BadInput, match=code):
        actions.grant_certificate(CLERK, a_holder().pk, kind, issuer, clock.today(), valid_to)


def test_an_unknown_certificate_is_not_found() -> None:
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        actions.withdraw_certificate(CLERK, 0, "x")


def test_the_deceased_get_no_certificate() -> None:
    holder = a_holder()
    for _ in range(2):
        assert actions.mark_deceased(CLERK, holder.pk, "死亡证明").life == "deceased"
    with pytest.raises(Conflict, match="HOLDER_DECEASED"):
        grant(holder)
    assert verbs() == ["holders.register", "holders.mark_deceased"]
    assert queued() == [("cards.refresh_standing", {"holder_id": holder.pk})]


def test_every_verb_takes_its_permission() -> None:
    holder, stranger = a_holder(), Actor("staff:2", frozenset({"holders.read"}))
    certificate = grant(holder)
    for attempt in (
        lambda: actions.correct(stranger, holder.pk, "name", "张三", "x", version=1),
        lambda: actions.grant_certificate(stranger, holder.pk, "teacher", "x", clock.today()),
        lambda: actions.withdraw_certificate(stranger, certificate.pk, "x"),
        lambda: actions.mark_deceased(stranger, holder.pk, "x"),
        lambda: queries.reveal(stranger, holder.pk, ["name"], "x"),
    ):
        with pytest.raises(NotPermitted):
            attempt()


# --- Searching and unmasking


def test_a_holder_is_found_by_each_index() -> None:
    holder = a_holder()
    line = queries.by_number(CLERK, a_number().lower())
    assert line == queries.Line(
        holder.pk, "320600", "张*明", f"9906**********{a_number()[-4:]}", "154****0001", "alive", True, 1
    )
    assert queries.by_name(CLERK, NAME).lines == [line]
    assert queries.by_initials(CLERK, "zxm", 1950).lines == [line]
    assert queries.by_phone(CLERK, PHONE).lines == [line]
    assert queries.newest(CLERK).lines == [line]
    assert queries.by_id(CLERK, holder.pk) == line


def test_near_misses_find_nothing() -> None:
    a_holder()
    assert queries.by_name(CLERK, "张小").lines == []
    assert queries.by_initials(CLERK, "ZXM", 1951).lines == []
    assert queries.by_number(CLERK, "nonsense") is None
    assert queries.by_id(CLERK, 0) is None


def test_other_places_do_not_exist() -> None:
    a_holder()
    elsewhere = Actor("staff:3", frozenset({"holders.read"}), ("3301", "3302"))
    assert queries.by_number(elsewhere, a_number()) is None
    assert queries.newest(elsewhere).lines == []
    assert len(queries.newest(Actor("staff:3", frozenset({"holders.read"}), ("3301", "3206"))).lines) == 1
    with pytest.raises(NotPermitted):
        queries.newest(Actor("staff:3", frozenset({"holders.read"}), ()))
    with pytest.raises(NotPermitted):
        queries.newest(Actor("staff:3"))


def test_pages_follow_ids_downwards_in_one_query_each() -> None:
    ids = [a_holder(number=a_number(sequence=n)).pk for n in range(1, 8)]
    seen, after = [], None
    for expected in (3, 3, 1):
        with CaptureQueriesContext(connection) as captured:
            page = queries.by_name(CLERK, NAME, after_id=after, limit=3)
        assert len(captured) == 1
        assert len(page.lines) == expected
        seen += [line.id for line in page.lines]
        after = page.after_id
    assert after is None
    assert seen == ids[::-1]


def test_unmasking_leaves_a_fact() -> None:
    holder = a_holder()
    shown = queries.reveal(CLERK, holder.pk, ["number", "name", "birth_date"], "核对证件")
    assert shown == {"number": a_number(), "name": NAME, "birth_date": "1950-05-01"}
    actor, verb, subject, place, reason, detail = facts()[-1]
    assert (actor, verb, subject, place, reason) == (
        "staff:1",
        "holders.reveal",
        f"holder:{holder.pk}",
        "320600",
        "核对证件",
    )
    assert json.loads(detail) == {"fields": ["birth_date", "name", "number"]}


def test_a_holder_unmasks_their_own_only() -> None:
    holder, other = a_holder(), a_holder(number=a_number(sequence=2))
    me = Actor(f"holder:{holder.pk}")
    assert queries.reveal(me, holder.pk, ["phone"], "本人查看") == {"phone": PHONE}
    with pytest.raises(NotPermitted):
        queries.reveal(me, other.pk, ["phone"], "本人查看")


def test_unmasking_without_a_reason_or_of_nothing_is_refused() -> None:
    holder = a_holder()
    for fields, reason, code in (
        (["name"], "", "REASON_MISSING"),
        ([], "x", "FIELD_UNKNOWN"),
        (["x"], "x", "FIELD_UNKNOWN"),
    ):
        with pytest.raises(BadInput, match=code):
            queries.reveal(CLERK, holder.pk, fields, reason)
    with pytest.raises(NotFound):
        queries.reveal(system("test"), 0, ["name"], "x")
    assert verbs() == ["holders.register"]


def test_facts_and_jobs_hold_nobodys_data() -> None:
    holder = a_holder()
    certificate = grant(holder)
    actions.correct(CLERK, holder.pk, "name", "张晓明", "户口簿记载变更", version=1)
    actions.correct(CLERK, holder.pk, "phone", "15400000002", "本人更换号码", version=2)
    actions.withdraw_certificate(CLERK, certificate.pk, "复核不符合条件")
    actions.mark_deceased(CLERK, holder.pk, "死亡证明")
    queries.reveal(CLERK, holder.pk, list(queries.PERSONAL_FIELDS), "核对证件")
    told = json.dumps([facts(), queued()], default=str, ensure_ascii=False)
    assert len(facts()) == 7
    for private in (NAME, "张晓明", a_number(), PHONE, "15400000002", ADDRESS, "1950-05-01", "A1"):
        assert private not in told
