"""The pages of the audit trail: facts, who looked at whom, the chain and its verification, and lists to take along."""

import csv
import io
import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import SYSTEM, a_registered_holder, a_staff_client, an_officer

from onecard.check import running
from onecard.console.auditing import FINDINGS
from onecard.foundation.actors import Actor
from onecard.foundation.exports import OPEN_MAX
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions, exports, trail, verification
from onecard.kernel.audit import queries as audit
from onecard.kernel.audit.queries import Finding
from onecard.kernel.holders import queries as holders
from onecard.kernel.holders.models import Holder

pytestmark = pytest.mark.django_db
NOBODY = UUID(int=7)
PATHS = ("/audit/", "/audit/chain/", "/audit/exports/", f"/audit/verifications/{NOBODY}/")


@pytest.fixture
def holder() -> Holder:
    return a_registered_holder()


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("sun", "auditor", place=""))


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def codes(page: str) -> list[str]:
    """The verbs of the facts listed."""
    return re.findall(r'<small class="mono">([a-z]+\.[a-z_]+)</small>', page)


@pytest.mark.parametrize("path", PATHS)
def test_other_roles_open_none_of_them(path: str) -> None:
    clerk = a_staff_client(an_officer("li", "clerk"))
    response = clerk.get(path)
    assert response.status_code == 403
    assert "audit." in response.content.decode()
    assert clerk.post("/audit/verifications/").status_code == 403
    assert clerk.post("/audit/exports/").status_code == 403
    assert clerk.get(f"/audit/exports/{NOBODY}.csv").status_code == 403
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_who_may_read_need_not_export_or_verify() -> None:
    reader = a_staff_client(an_officer("gu", "administrator", place=""))
    page = shown(reader, "/audit/") + shown(reader, "/audit/chain/")
    assert "导出 CSV" not in page
    assert 'action="/audit/verifications/"' not in page
    assert reader.post("/audit/verifications/").status_code == 403
    assert reader.post("/audit/exports/").status_code == 403


def test_who_saw_whom_and_why(client: Client, holder: Holder) -> None:
    officer = an_officer("li", "card_officer")
    actor = Actor(f"staff:{officer.pk}", frozenset({"holders.reveal"}))
    holders.reveal(actor, holder.pk, ["phone"], "居民来电核实")
    actions.record(SYSTEM, "cards.issue", "card:5", place="320600")
    page = shown(client, "/audit/?looks=1")
    assert codes(page) == ["holders.reveal"]
    for told in ("数据", "周敏", "居民来电核实", "phone", f"holder:{holder.pk}"):
        assert told in page, told
    assert "张小明" not in page
    for query in ("actor=li", f"actor=staff:{officer.pk}", f"subject=holder:{holder.pk}&verb=holders.reveal"):
        assert codes(shown(client, f"/audit/?{query}"))[-1:] == ["holders.reveal"], query
    assert "没有符合条件的审计事实" in shown(client, "/audit/?actor=nobody")
    assert "没有符合条件的审计事实" in shown(client, "/audit/?looks=1&from=2020-01-01&to=2020-01-02")


def test_opening_the_page_is_itself_a_fact(client: Client) -> None:
    shown(client, "/audit/?subject=card:5&from=2026-11-01")
    (fact,) = audit.facts_about("audit")
    assert (fact.verb, fact.detail) == ("audit.read", {"subject": "card:5", "from": "2026-11-01"})
    assert codes(shown(client, "/audit/"))[0] == "audit.read"


def test_facts_of_other_places_stay_there() -> None:
    actions.record(SYSTEM, "cards.issue", "card:5", place="320602")
    actions.record(SYSTEM, "cards.lock", "card:6", place="110000")
    actions.record(SYSTEM, "cards.cancel", "card:7")
    near = a_staff_client(an_officer("he", "auditor", place="3206"))
    seen = [code for code in codes(shown(near, "/audit/")) if code.startswith("cards.")]
    assert seen == ["cards.issue"]


def test_pages_follow_one_another_by_key_with_the_same_queries(client: Client) -> None:
    def taken(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client, path)
        return len(queries)

    shown(client, "/audit/?looks=1")
    actions.record(Actor(audit.facts_about("audit")[0].actor), "holders.read", "holder:0", place="320600")
    few = taken("/audit/"), taken("/audit/?looks=1")
    sun = Actor(audit.facts_about("audit")[0].actor)
    for n in range(trail.PAGE + 5):
        actions.record(sun, "holders.read", f"holder:{n}", place="320600")
    assert (taken("/audit/"), taken("/audit/?looks=1")) == few
    first = shown(client, "/audit/?verb=holders.read")
    before = re.search(r"verb=holders.read&amp;before=(\d+)", first)
    assert before is not None
    assert len(codes(first)) == trail.PAGE
    assert codes(shown(client, f"/audit/?verb=holders.read&before={before[1]}")) == ["holders.read"] * 6


# --- The chain --------------------------------------------------------------------------------------------------------


def test_a_verification_is_asked_for_done_by_a_job_and_shown(client: Client) -> None:
    assert "还没有校验过" in shown(client, "/audit/chain/")
    path = client.post("/audit/verifications/")["Location"]
    waiting = shown(client, path)
    assert "正在校验" in waiting
    assert f'hx-get="{path}"' in waiting
    assert client.post("/audit/verifications/")["Location"] == "/audit/chain/"
    assert "已有一次校验正在进行" in shown(client, "/audit/chain/")
    ((id_,),) = rows("SELECT args->>'verification' FROM procrastinate_jobs WHERE task_name = 'audit.verify'")
    assert verification.verify(UUID(id_)) == 0
    page = shown(client, path)
    assert "AUDIT_CHAIN 成立" in page
    assert "hx-get" not in page.split('id="verification"')[1].split(">")[0]
    assert "完好" in shown(client, "/audit/")
    assert client.get(f"/audit/verifications/{NOBODY}/").status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_broken_chain_says_what_is_wrong_and_what_to_do(
    client: Client, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    found = [Finding(kind, "seal:7", 3) for kind in FINDINGS]
    monkeypatch.setattr("onecard.kernel.audit.queries.verify_rest", lambda _sealed_to: found)
    id_ = verification.ask(Actor("staff:1", frozenset({"audit.verify"})))
    assert verification.verify(id_) == len(FINDINGS) - 1
    page = shown(client, f"/audit/verifications/{id_}/?lang={language}")
    for name, _meaning in FINDINGS.values():
        assert name[language] % {"n": 3} in page, name
    assert {"zh": "怎么办", "en": "What to do"}[language] in page
    assert {"zh": "审计链有问题", "en": "The audit chain is broken"}[language] in shown(
        client, f"/audit/chain/?lang={language}"
    )


def test_the_page_and_the_check_use_the_same_words(urls: dict[str, str]) -> None:
    finding = running._audit(urls["owner"])
    assert (finding.code, finding.zh, finding.en) == (
        verification.CODE, verification.HOLDS["zh"], verification.HOLDS["en"],
    )  # fmt: skip


# --- Lists to take along ----------------------------------------------------------------------------------------------


def ask(client: Client, **wanted: Any) -> str:
    answer = client.post("/audit/exports/", wanted)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_a_list_is_written_by_a_job_and_fetched_by_its_asker_alone(client: Client, holder: Holder) -> None:
    assert "还没有导出" in shown(client, "/audit/exports/")
    path = ask(client, subject=f"holder:{holder.pk}")
    file = f"{path.rstrip('/')}.csv"
    assert "等待中" in shown(client, path)
    assert client.get(file)["Location"] == path
    ((id_,),) = rows("SELECT args->>'export' FROM procrastinate_jobs WHERE task_name = 'audit.export'")
    assert exports.write(UUID(id_)) == 1
    assert "已完成" in shown(client, path)
    content = b"".join(client.get(file).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    head, line = csv.reader(io.StringIO(content))
    assert head == list(exports.HEADS)
    assert line[3:5] == ["holders.register", f"holder:{holder.pk}"]
    (fact,) = audit.facts_about(f"export:{id_}")
    assert (fact.verb, fact.detail) == ("audit.export", {"subject": f"holder:{holder.pk}"})
    other = a_staff_client(an_officer("li", "auditor"))
    assert [other.get(each).status_code for each in (path, file)] == [404, 404]
    assert id_ in shown(client, "/audit/exports/")


def test_a_list_is_stopped_and_three_are_enough(client: Client) -> None:
    path = ask(client)
    assert client.post(path)["Location"] == path
    assert "已停止" in shown(client, path)
    for _ in range(OPEN_MAX):
        ask(client)
    answer = client.post("/audit/exports/", follow=True)
    assert f"您已有{OPEN_MAX}个导出正在进行" in answer.content.decode()
