"""Who may open a session where, and what wrong passwords cost."""

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from tests.foundation.web.faces import PASSWORD, a_resident, an_authenticator, an_officer, code_now, face, sign_in

from onecard.kernel.signins.models import Kind, PublicSession, StaffSession, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("kind", "holder_id"), [(Kind.STAFF, 1), (Kind.HOLDER, None), ("", None)])
def test_a_user_is_exactly_one_kind(kind: str, holder_id: int | None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("x", PASSWORD, kind=kind, holder_id=holder_id)


def test_a_holder_has_one_sign_in() -> None:
    User.objects.create_user("a", PASSWORD, kind=Kind.HOLDER, holder_id=7)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("b", PASSWORD, kind=Kind.HOLDER, holder_id=7)


def test_passwords_rest_under_argon2() -> None:
    assert User.objects.create_user("a", PASSWORD, kind=Kind.STAFF).password.startswith("argon2$")


def test_sessions_lie_in_their_own_tables() -> None:
    with face("public"):
        user, _ = a_resident()
        sign_in(Client(), user.username)
    assert (PublicSession.objects.count(), StaffSession.objects.count()) == (1, 0)
    with face("staff"):
        an_officer("zhou")
        sign_in(Client(), "zhou")
    assert StaffSession.objects.count() == 1


@pytest.mark.parametrize("process", ["public", "staff"])
def test_five_wrong_passwords_close_the_door_for_the_right_one(process: str) -> None:
    cache.clear()
    with face(process):
        name = a_resident()[0].username if process == "public" else an_officer("zhou").user.username
        for _ in range(5):
            assert "不正确" in sign_in(Client(), name, "wrong").content.decode()
        response = sign_in(Client(), name)
        assert response.status_code == 200
        assert "错误次数过多" in response.content.decode()


def test_five_wrong_codes_close_the_door_for_the_right_one() -> None:
    cache.clear()
    with face("staff"):
        officer = an_officer("zhou")
        secret = an_authenticator(officer.user)
        client = Client()
        sign_in(client, "zhou")
        for _ in range(5):
            client.post("/sign-in/code/", {"code": "000000"})
        response = client.post("/sign-in/code/", {"code": code_now(secret)})
        assert response.status_code == 200
        assert "错误次数过多" in response.content.decode()


def test_an_unknown_name_and_a_wrong_password_look_the_same() -> None:
    cache.clear()
    with face("public"):
        a_resident("zhang")
        pages = [sign_in(Client(), name, "wrong").content.decode() for name in ("zhang", "nobody")]
        said = [page.split('role="alert"')[1].split("</ul>")[0] for page in pages]
        assert said[0] == said[1]


def test_an_inactive_user_looks_like_a_wrong_password_too() -> None:
    cache.clear()
    with face("public"):
        user, _ = a_resident()
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert "用户名或密码不正确" in sign_in(Client(), user.username).content.decode()


def test_closing_an_account_ends_its_sessions() -> None:
    with face("public"):
        user, _ = a_resident()
        client = Client()
        sign_in(client, user.username)
        assert client.get("/cards/").status_code == 200
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert client.get("/cards/").status_code == 302


def test_signing_out_takes_a_post() -> None:
    with face("public"):
        user, _ = a_resident()
        client = Client()
        sign_in(client, user.username)
        client.get("/sign-out/")
        assert client.get("/cards/").status_code == 200
        client.post("/sign-out/")
        assert client.get("/cards/").status_code == 302


def test_forms_need_the_token() -> None:
    with face("public"):
        user, _ = a_resident()
        client = Client(enforce_csrf_checks=True)
        response = client.post("/sign-in/password/", {"login": user.username, "password": PASSWORD})
        assert response.status_code == 403
        assert "页面已过期" in response.content.decode()


def test_sign_in_leads_to_no_other_site() -> None:
    with face("public"):
        user, _ = a_resident()
        response = Client().post(
            "/sign-in/password/", {"login": user.username, "password": PASSWORD, "next": "https://elsewhere.example/"}
        )
        assert response["Location"] == "/cards/"
