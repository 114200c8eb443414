"""What holds for every page of both web processes: headers, cookies, templates, languages. Routes: tests/pages."""

import html.parser
import io
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from babel.messages import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.test import Client, RequestFactory, override_settings
from tests.foundation.web.faces import (
    a_resident,
    a_resident_client,
    a_risk,
    a_staff_client,
    a_use,
    an_officer,
    face,
    sign_in,
    the_catalogue,
)

from onecard.foundation.postgres.raw import rows
from onecard.foundation.web import errors
from onecard.kernel.catalogue.models import Terminal
from onecard.kernel.uses import figures
from onecard_kit.verdicts import Verdict

SRC = Path(__file__).resolve().parents[3] / "src" / "onecard"
TEMPLATES = sorted(SRC.glob("*/templates/**/*.html")) + sorted(SRC.glob("foundation/web/templates/**/*.html"))
CSP = {
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "font-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@pytest.fixture
def responses(db: None) -> dict[str, Any]:
    """Every page of both processes as somebody entitled sees it, and every error page."""
    found: dict[str, Any] = {}
    with face("public"):
        user, card = a_resident()
        use = a_use(card, the_catalogue(), Verdict.FUNDS_SHORT)
        client = a_resident_client(user)
        services = ("/services", "/services?q=nowhere", "/services/transit.metro_ride", "/services/transit.nowhere")
        laws = ("/legal-bases", "/legal-bases/js-2022", "/legal-bases/nowhere")
        connecting = (
            "/dev/",
            "/dev/start",
            "/dev/codes",
            "/dev/signing",
            "/dev/gateway/use",
            "/dev/department/what_if",
        )
        for path in ("/", "/sign-in/", "/health", "/nowhere/", *services, *laws, *connecting):
            found[f"public {path}"] = client_in_english().get(path)
        with override_settings(ONECARD_DEMO=True):
            found["public kit"] = client_in_english().get("/_kit")
        own = (
            "/seen/",
            "/ecard/",
            "/ecard/licence/",
            "/uses/",
            f"/uses/{use}/",
            "/uses/?field=health",
            "/uses/1/",
            "/money/",
            "/rights/",
        )
        for path in ("/cards/", "/paying/", f"/cards/{card.pk}/lost/", "/sign-out/", "/cards/999999/lost/", *own):
            found[f"public {path}"] = client.get(path + "?lang=en")
        found["public wrong password"] = sign_in(client_in_english(), "zhang", "wrong")
        client.post(f"/cards/{card.pk}/lost/")
        found["public reported"] = client.get("/cards/")
        found["public found"] = client.get(f"/cards/{card.pk}/found/")
    with face("staff"):
        officer = an_officer("zhou", "card_officer", "auditor", "risk_officer", "administrator", "finance_officer")
        risk = f"/risks/{a_risk('chip_replayed', f'card:{card.pk}', use, counter=7)}/"
        a_risk("number_misses_city", "city:320600", place="320600", count=30)
        fresh = client_in_english()
        sign_in(fresh, "zhou")
        found["staff set up"] = fresh.get("/second-factor/")
        found["staff not counted yet"] = a_staff_client(an_officer("qian", "auditor")).get("/?lang=en")
        figures.count()
        staff = a_staff_client(officer)
        half = client_in_english()
        sign_in(half, "zhou")
        found["staff second step"] = half.get("/sign-in/code/")
        for path in ("/", "/holders/", "/risks/", "/risks/?state=acted", risk, "/sign-out/", "/nowhere/"):
            found[f"staff {path}"] = staff.get(path + "?lang=en")
        person = f"/holders/{card.holder_id}/"
        cancel = f"{person}cards/{card.pk}/cancel/"
        for path in (person, person + "?kind=data", f"{person}data/", cancel, f"{person}cards/{card.pk}/complete/"):
            found[f"staff {path}"] = staff.get(path)
        found["staff no reason"] = staff.post(f"{person}data/", {"fields_shown": ["shoes"]})
        found["staff shown"] = staff.post(f"{person}data/", {"fields_shown": ["name", "phone"], "reason": "audit"})
        found["staff one officer"] = staff.post(cancel, {"reason": "lost", "checker": "sun"})
        for path in ("/uses/", "/uses/?item=nowhere", f"/uses/{use}/", "/exports/"):
            found[f"staff {path}"] = staff.get(path)
        point, terminal = a_use_point(use)
        for path in ("/points/", f"/points/{point}/", "/terminals/", "/terminals/?code=x", f"/terminals/{terminal}/"):
            found[f"staff {path}"] = staff.get(path)
        for path in ("/accounts/", "/accounts/?role=bank.offer", "/accounts/999999/", "/concessions/"):
            found[f"staff {path}"] = staff.get(path)
        found["staff pairing code"] = staff.post(f"/terminals/{terminal}/pairing-code/")
        found["staff use without reason"] = staff.post(f"/uses/{use}/", {"reason": ""})
        found["staff export"] = staff.post("/exports/", {"line": "offline"}, follow=True)
        found["staff exports"] = staff.get("/exports/")
        found["staff found"] = staff.post("/holders/", {"number": card.number})
        found["staff undecided"] = staff.post(risk, {"seen": 0})
        staff.post(risk, {"seen": 0, "state": "acted", "reason": "已为持卡人换卡"})
        found["staff followed up"] = staff.get(risk)
        found["staff malformed"] = staff.post("/holders/", {"number": "1"})
        found["staff not permitted"] = a_staff_client(an_officer("sun", "auditor")).get("/holders/?lang=en")
    return found


def a_use_point(use: UUID) -> tuple[int, int]:
    """The point of a use, and a terminal there."""
    [(point,)] = rows("SELECT point_id FROM uses_use WHERE id = $1", use)
    return point, Terminal.objects.create(code="T-1", point_id=point).pk


def client_in_english() -> Client:
    client = Client()
    client.get("/sign-in/?lang=en")
    return client


@pytest.mark.django_db
def test_every_response_carries_the_headers(responses: dict[str, Any]) -> None:
    for name, response in responses.items():
        assert set(response["Content-Security-Policy"].split("; ")) == CSP, name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["Referrer-Policy"] == "same-origin", name
        assert response["X-Frame-Options"] == "DENY", name
        assert "camera=()" in response["Permissions-Policy"], name
        assert "no-store" in response["Cache-Control"], name


@pytest.mark.django_db
def test_every_page_is_ours_and_english_is_whole(responses: dict[str, Any]) -> None:
    for name, response in responses.items():
        if name.endswith("/health"):
            continue
        page = response.content.decode()
        assert 'id="live"' in page, f"{name} is not built on the base template"
        assert '<html lang="en"' in page, name
        assert not CHINESE.search(english_part(page)), f"{name}: {CHINESE.findall(english_part(page))[:20]}"


class _English(html.parser.HTMLParser):
    """Collects text and spoken attributes outside elements that are marked as Chinese."""

    VOID = {"meta", "link", "input", "img", "br", "rect", "path"}

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []
        self.open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marked = ("lang", "zh-CN") in attrs or any(self.open)
        if not marked:
            self.kept += [value or "" for key, value in attrs if key in ("alt", "title", "aria-label", "placeholder")]
        if tag not in self.VOID:
            self.open.append(marked)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open):
            self.kept.append(data)


def english_part(page: str) -> str:
    parser = _English()
    parser.feed(page)
    return " ".join(parser.kept)


@pytest.mark.django_db
def test_the_two_processes_share_no_cookie_name() -> None:
    names: dict[str, set[str]] = {}
    with face("public"):
        user, _ = a_resident()
        names["public"] = set(a_resident_client(user).cookies) | set(Client().get("/?lang=en&mode=elder").cookies)
    with face("staff"):
        client = a_staff_client(an_officer("zhou", "clerk"))
        client.get("/?lang=en&mode=elder")
        names["staff"] = set(client.cookies)
    assert names["public"]
    assert names["staff"]
    assert not names["public"] & names["staff"]


@pytest.mark.django_db
def test_a_session_of_one_process_is_none_at_the_other() -> None:
    with face("public"):
        user, _ = a_resident()
        session = a_resident_client(user).cookies["onecard_public"].value
    with face("staff"):
        client = Client()
        client.cookies["onecard_staff"] = session
        assert client.get("/")["Location"].startswith("/sign-in/")


@pytest.mark.django_db
@pytest.mark.parametrize("process", ["public", "staff"])
def test_health_answers_without_a_cookie(process: str) -> None:
    with face(process):
        response = Client().get("/health")
        assert (response.status_code, response.json()) == (200, {"database": "ok"})
        assert not response.cookies
        assert Client().post("/health").status_code == 405


@pytest.mark.parametrize("process", ["public", "staff"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_error_pages_need_no_database(process: str, language: str) -> None:
    """No `db` fixture: any query would fail this test."""
    from django.utils import translation

    request = RequestFactory().get("/")
    with face(process), translation.override(language):
        for response, status in (
            (errors.server_error(request), 500),
            (errors.page_not_found(request, Exception()), 404),
            (errors.permission_denied(request, Exception()), 403),
            (errors.csrf_failure(request), 403),
            (errors.too_many_requests(request), 429),
        ):
            assert response.status_code == status
            assert b"<script" not in response.content
            assert b'id="main"' in response.content


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(SRC)))
def test_templates_hold_nothing_inline(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "<style" not in text
    assert "javascript:" not in text
    assert not re.search(r"(src|href)\s*=\s*[\"'](https?:)?//", text)
    if template.name != "kit.html":
        assert not re.search(r"\|\s*safe\b", text)


def message_ids() -> set[str]:
    """Every text the code marks for translation."""
    found = set()
    for method, paths, options in (
        ("jinja2", TEMPLATES, {"trimmed": "false", "newstyle_gettext": "true"}),
        ("python", sorted(SRC.glob("**/*.py")), {}),
    ):
        for path in paths:
            with path.open("rb") as source:
                for _line, message, _comments, _context in extract.extract(method, source, options=options):
                    found.add(message[0] if isinstance(message, tuple) else message)
    return found


def test_the_english_catalogue_is_complete() -> None:
    with (SRC / "locale" / "en" / "LC_MESSAGES" / "django.po").open("rb") as source:
        catalogue = read_po(source, locale="en")
    told = {m.id[0] if isinstance(m.id, tuple) else m.id: m for m in catalogue if m.id}
    assert message_ids() - set(told) == set(), "not in the catalogue: run tools/catalogue.py"
    assert set(told) - message_ids() == set(), "no longer used: run tools/catalogue.py"
    for message in told.values():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), f"untranslated: {message.id}"
        assert not message.fuzzy, f"fuzzy: {message.id}"
        assert not any(CHINESE.search(str(string)) for string in strings), message.id


def test_the_compiled_catalogue_is_the_readable_one() -> None:
    folder = SRC / "locale" / "en" / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as source:
        compiled = io.BytesIO()
        write_mo(compiled, read_po(source, locale="en"))
    assert (folder / "django.mo").read_bytes() == compiled.getvalue(), "run tools/catalogue.py"
    assert len(read_mo(io.BytesIO(compiled.getvalue()))) > 0
