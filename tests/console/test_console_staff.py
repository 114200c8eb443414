"""The pages of officers: register, appointment by a one-time code, roles in places and for days, what takes two."""

import datetime as dt
import re

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import (
    PASSWORD,
    SYSTEM,
    a_staff_client,
    an_authenticator,
    an_officer,
    code_now,
    sign_in,
)

from onecard.console.permissions import PERMISSIONS
from onecard.console.verbs import VERBS
from onecard.foundation import clock
from onecard.kernel.audit import queries as audit
from onecard.kernel.staff import actions, register
from onecard.kernel.staff.models import Assignment, Officer
from onecard.kernel.staff.roles import ROLES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_of_other_tests")]
STEPS = ("suspended", "restored", "sessions", "second-factor")


@pytest.fixture
def zhou() -> Officer:
    return an_officer("zhou", "clerk")


@pytest.fixture
def admin() -> Client:
    return a_staff_client(an_officer("gu", "administrator", place=""))


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def told(officer: Officer) -> list[str]:
    return [fact.verb for fact in audit.facts_about(f"staff:{officer.pk}")]


def test_other_roles_open_none_of_them_and_are_told_whom_to_ask(zhou: Officer, admin: Client) -> None:
    clerk = a_staff_client(zhou)
    for path in ("/officers/", f"/officers/{zhou.pk}/", "/roles/"):
        page = clerk.get(path)
        assert page.status_code == 403
        text = page.content.decode()
        for word in ("staff.read", "查看工作人员和角色", "系统管理员", "审计岗", "周敏"):
            assert word in text, word
        assert Client().get(path)["Location"].startswith("/sign-in/")
    for path in ("new/", *(f"{zhou.pk}/{step}/" for step in STEPS)):
        assert clerk.get(f"/officers/{path}").status_code == 403, path
    for path in ("invitation/", "roles/", "roles/withdrawn/"):
        assert clerk.post(f"/officers/{zhou.pk}/{path}").status_code == 403, path


def test_who_may_only_read_changes_nothing(zhou: Officer) -> None:
    auditor = a_staff_client(an_officer("sun", "auditor"))
    page = shown(auditor, f"/officers/{zhou.pk}/")
    assert "您可以查看，不能授予或收回角色" in page
    assert "<form" not in page[page.index("<main") : page.index("</main>")]  # the warning of the session's end has one
    assert auditor.post(f"/officers/{zhou.pk}/roles/", {"role": "auditor", "place": "3206"}).status_code == 403
    assert auditor.get("/officers/new/").status_code == 403


def test_the_register_filters_and_pages_with_the_same_queries(admin: Client, zhou: Officer) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(admin, "/officers/")
        return len(queries)

    def listed(path: str) -> list[int]:
        return [int(each) for each in re.findall(r'href="/officers/(\d+)/"', shown(admin, path))]

    before = taken()
    made = [
        actions.appoint(SYSTEM, username=f"o{n}", password=None, display_name=f"甲{n}") for n in range(register.PAGE)
    ]
    for each in made[:5]:
        actions.assign(SYSTEM, each, "auditor", "320602")
    actions.suspend(SYSTEM, made[0], "离岗")
    assert taken() == before
    gu = Officer.objects.get(user__username="gu")
    everybody = sorted([gu.pk, zhou.pk, *(each.pk for each in made)])
    assert listed("/officers/") == everybody[: register.PAGE]
    assert listed(f"/officers/?after={everybody[register.PAGE - 1]}") == everybody[register.PAGE :]
    wanted = {
        "?text=zhou": [zhou.pk],
        "?text=甲7": [made[7].pk],
        "?state=suspended": [made[0].pk],
        "?role=auditor": [each.pk for each in made[:5]],
        "?role=x&state=y&after=z": everybody[: register.PAGE],
        "?text=nobody": [],
    }
    assert {path: listed(f"/officers/{path}") for path in wanted} == wanted
    assert "没有符合条件的工作人员" in shown(admin, "/officers/?text=nobody")


def test_a_new_officer_sets_a_password_and_a_second_factor_before_anything_else(admin: Client) -> None:
    asked = {"username": "xu", "display_name": "徐清（虚构）", "department": "卡管科"}
    assert admin.post("/officers/new/", {**asked, "username": "X Y"}).status_code == 422
    made = admin.post("/officers/new/", asked).content.decode()
    code = made.split('<p class="code-no mono">')[1].split("<")[0]
    officer = Officer.objects.get(user__username="xu")
    assert code not in shown(admin, f"/officers/{officer.pk}/")
    assert admin.post("/officers/new/", asked).status_code == 422
    assert told(officer) == ["staff.invite", "staff.appoint"]
    new = Client()
    assert "首次登录" in shown(new, "/sign-in/")
    given = {"username": "xu", "code": code, "password": PASSWORD, "again": PASSWORD}
    for change, why in (
        ({"code": "AAAA-AAAA-AAAA-AAAA"}, "用户名与首次登录码不符"),
        ({"again": "other"}, "两次输入的密码不同"),
        ({"password": "short", "again": "short"}, "10"),
    ):
        answer = new.post("/sign-in/first/", {**given, **change})
        assert answer.status_code == 422
        assert why in answer.content.decode()
    assert new.post("/sign-in/first/", given)["Location"] == "/sign-in/"
    assert new.post("/sign-in/first/", given).status_code == 422
    sign_in(new, "xu")
    for path in ("/", "/officers/"):
        assert new.get(path)["Location"] == "/second-factor/"


def test_guessing_a_code_is_slowed_down(zhou: Officer) -> None:
    code = actions.invite(SYSTEM, zhou)
    given = {"username": "zhou", "password": PASSWORD, "again": PASSWORD}
    for _ in range(5):
        Client().post("/sign-in/first/", {**given, "code": "x"})
    answer = Client().post("/sign-in/first/", {**given, "code": code})
    assert "尝试次数过多" in answer.content.decode()


def test_a_role_is_granted_in_a_place_for_days_and_withdrawn(zhou: Officer) -> None:
    admin = a_staff_client(an_officer("gu", "administrator", place="3206"))
    path, last = f"/officers/{zhou.pk}/roles/", clock.today() + dt.timedelta(days=30)
    asked = {"role": "auditor", "place": "320613", "until": last.isoformat()}
    for change in (
        {"role": "emperor"},
        {"place": "32"},
        {"place": "everywhere"},
        {"place": ""},
        {"until": "tomorrow"},
        {"until": "2020-01-01"},
    ):
        assert admin.post(path, {**asked, **change}).status_code == 422, change
    assert admin.post(path, asked).status_code == 302
    held = Assignment.objects.get(officer=zhou, role__code="auditor")
    assert (held.place, held.until) == ("320613", last)
    page = shown(admin, f"/officers/{zhou.pk}/")
    assert "审计岗" in page
    assert last.isoformat() in page
    assert audit.facts_about(f"staff:{zhou.pk}")[0].detail == {
        "role": "auditor", "scope": "320613", "until": last.isoformat(),
    }  # fmt: skip
    assert admin.post(f"{path}withdrawn/", {"role": "auditor", "place": "320613"}).status_code == 302
    assert not Assignment.objects.filter(officer=zhou, role__code="auditor").exists()
    assert admin.post(f"{path}withdrawn/", {"role": "clerk", "place": ""}).status_code == 403
    assert told(zhou)[0] == "staff.withdraw"


def test_nobody_changes_themselves(admin: Client) -> None:
    me = Officer.objects.get(user__username="gu")
    page = shown(admin, f"/officers/{me.pk}/")
    assert "这是您本人" in page
    assert f'action="/officers/{me.pk}/' not in page
    assert admin.post(f"/officers/{me.pk}/roles/", {"role": "auditor", "place": "everywhere"}).status_code == 403
    assert admin.post(f"/officers/{me.pk}/suspended/", {"reason": "x"}).status_code == 403
    assert admin.post(f"/officers/{me.pk}/invitation/").status_code == 403


def test_suspending_restoring_and_ending_sessions_take_a_reason(admin: Client, zhou: Officer) -> None:
    theirs = a_staff_client(zhou)
    here = f"/officers/{zhou.pk}/"
    assert admin.post(f"{here}sessions/", {"reason": " "}).status_code == 422
    assert admin.post(f"{here}sessions/", {"reason": "离岗未退出"}).status_code == 302
    assert theirs.get("/")["Location"].startswith("/sign-in/")
    assert admin.post(f"{here}suspended/", {"reason": "休假"}).status_code == 302
    assert "已停用" in shown(admin, here)
    assert admin.post(f"{here}invitation/").status_code == 302
    assert admin.post(f"{here}restored/", {"reason": "销假"}).status_code == 302
    assert told(zhou)[:3] == ["staff.restore", "staff.suspend", "staff.end_sessions"]


def test_a_second_factor_is_reset_by_two(admin: Client, zhou: Officer) -> None:
    an_authenticator(zhou.user)
    he = an_officer("he", "administrator", place="")
    secret = an_authenticator(he.user)
    path = f"/officers/{zhou.pk}/second-factor/"
    asked = {"reason": "手机遗失，已当面核验", "checker": "he", "password": PASSWORD, "code": "000000"}
    assert "须两人办理" in shown(admin, path)
    assert admin.post(path, asked).status_code == 422
    assert Authenticator.objects.filter(user=zhou.user).exists()
    assert admin.post(path, {**asked, "code": code_now(secret)}).status_code == 302
    assert not Authenticator.objects.filter(user=zhou.user).exists()
    fact = audit.facts_about(f"staff:{zhou.pk}")[0]
    assert (fact.verb, fact.detail["approved_by"]) == ("staff.reset_second_factor", f"staff:{he.pk}")


def test_roles_are_told_in_words(admin: Client) -> None:
    page = shown(admin, "/roles/")
    for role in ROLES:
        assert f'id="{role.code}"' in page
        assert role.name_zh in page
    assert "查找持卡人，查看脱敏信息" in page
    assert "See data unmasked, for a reason" in shown(admin, "/roles/?lang=en")


def test_every_permission_and_every_verb_of_staff_has_words() -> None:
    assert {each for role in ROLES for each in role.permissions} == set(PERMISSIONS)
    for verb in ("appoint", "invite", "accept_invitation", "assign", "withdraw", "suspend", "restore", "end_sessions"):
        assert f"staff.{verb}" in VERBS


def test_an_unknown_officer_is_not_found(admin: Client) -> None:
    assert admin.get("/officers/999999/").status_code == 404
    assert admin.post("/officers/999999/invitation/").status_code == 404


def test_an_administrator_of_one_county_sees_no_officers_of_another() -> None:
    near, far = an_officer("near", "clerk", place="320682"), an_officer("far", "clerk", place="320602")
    around, new = an_officer("around", "clerk", place="3206"), an_officer("new")
    admin = a_staff_client(me := an_officer("gu", "administrator", place="320682"))
    listed = [int(each) for each in re.findall(r'href="/officers/(\d+)/"', shown(admin, "/officers/"))]
    assert listed == sorted([near.pk, around.pk, new.pk, me.pk])
    assert "没有符合条件的工作人员" in shown(admin, "/officers/?text=far")
    assert admin.get(f"/officers/{far.pk}/").status_code == 404
    assert admin.post(f"/officers/{far.pk}/roles/", {"role": "auditor", "place": "320682"}).status_code == 404
    asked = {"role": "auditor", "place": "320682"}
    assert admin.post(f"/officers/{new.pk}/roles/", asked).status_code == 302
    assert admin.post(f"/officers/{far.pk}/roles/withdrawn/", asked).status_code == 404


def test_what_takes_the_whole_node_says_so_before_anything_is_typed(zhou: Officer) -> None:
    admin = a_staff_client(an_officer("gu", "administrator", place="3206"))
    assert 'href="/officers/new/"' not in shown(admin, "/officers/")
    for path in ("new/", *(f"{zhou.pk}/{step}/" for step in STEPS)):
        answer = admin.get(f"/officers/{path}")
        assert answer.status_code == 403, path
        assert "全部地区" in answer.content.decode()


def test_a_second_officer_who_may_not_approve_is_told_beside_their_name(zhou: Officer, admin: Client) -> None:
    secret = an_authenticator(an_officer("sun", "auditor").user)
    asked = {"reason": "手机丢失", "checker": "sun", "password": PASSWORD, "code": code_now(secret)}
    answer = admin.post(f"/officers/{zhou.pk}/second-factor/", asked)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "复核人在这里没有“staff.reset_second_factor”权限" in page
    assert "手机丢失" in page
