"""The pages of the catalogue: lists, versions, files, steps by two persons, differences, offers, legal bases."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import a_registered_holder, a_staff_client, an_officer, the_catalogue
from tests.kernel.cards.builders import a_card
from tests.kernel.catalogue.builders import ENTRY, RIDE, an_item, load_published

from onecard.console.forms import YuanField
from onecard.foundation import clock
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import files, register
from onecard.kernel.catalogue.models import Item, ItemVersion, Offer, Point, Stage
from onecard_kit import item_files
from onecard_kit.terms import FEN_MAX

pytestmark = pytest.mark.django_db
RIDES = "/items/transit.bus_ride/"
FIRST = f"{RIDES}versions/1/"
READ = (
    "/items/", RIDES, FIRST, f"{FIRST}preview/", "/items/transit.bus_ride/versions/1.toml",
    "/items/transit.bus_ride/versions/1.json", f"{RIDES}difference/", f"{RIDES}points/", "/legal-bases/",
    "/legal-bases/test/", f"{FIRST}end/", f"{RIDES}suspend/",
)  # fmt: skip
NEEDING = dict.fromkeys(READ, "catalogue.read") | {
    "/items/upload/": "catalogue.load",
    f"{RIDES}points/new/": "catalogue.offer",
    f"{RIDES}points/stopped/": "catalogue.stop_offering",
    "/what-if/": "uses.explain",
}


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    """A list with two items, published when the node was set up."""
    load_published(tmp_path, RIDE, ENTRY)
    return tmp_path


@pytest.fixture
def editor() -> Client:
    return a_staff_client(an_officer("lin", "catalogue_editor"))


@pytest.fixture
def approver() -> Client:
    return a_staff_client(an_officer("gao", "catalogue_approver"))


def second(fen: int = 300) -> str:
    text = RIDE.replace("version = 1", "version = 2").replace("2026-01-01", "2099-01-01")
    return text.replace("full_fen = 200", f"full_fen = {fen}")


def shown(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def checked(client: Client, text: str, **more: str) -> Any:
    return client.post("/items/upload/", {"text": text, **more})


def seen_in(page: str) -> str:
    return page.split('name="seen" value="')[1].split('"')[0]


def stored(client: Client, text: str) -> None:
    page = checked(client, text).content.decode()
    assert checked(client, text, seen=seen_in(page)).status_code == 302


@pytest.mark.parametrize("path", NEEDING)
def test_other_roles_open_none_of_them(path: str) -> None:
    for method in ("get", "post"):
        response = getattr(a_staff_client(an_officer(f"li{method}", "clerk")), method)(path)
        assert response.status_code == 403, method
        assert NEEDING[path] in response.content.decode()
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_an_empty_catalogue_says_so(editor: Client) -> None:
    assert "目录里还没有应用项目" in shown(editor, "/items/")
    assert "没有符合条件的应用项目" in shown(editor, "/items/?text=x")
    assert "还没有登记法规" in shown(editor, "/legal-bases/")
    for path in (RIDES, FIRST, f"{RIDES}points/", "/legal-bases/nothing/"):
        assert editor.get(path).status_code == 404, path


def _listed(page: str) -> list[str]:
    return [part.split("/", 1)[0] for part in page.split('<td class="wide"><a href="/items/')[1:]]


def test_the_list_filters_by_words_field_level_state_and_stage(editor: Client, rides: Path) -> None:
    stored(editor, second())
    both, ride = ["culture.library_entry", "transit.bus_ride"], ["transit.bus_ride"]
    found: dict[str, list[str]] = {
        "": both, "?text=项目": both, "?text=BUS": ride, "?field=transit": ride, "?level=county": [], "?level=x": both,
        "?stage=draft": ride, "?stage=ended": [], "?state=suspended": [], "?text=z%00&after=c": [],
    }  # fmt: skip
    for query, codes in found.items():
        assert _listed(shown(editor, f"/items/{query}")) == codes, query
    assert "第 2 版：拟订" in shown(editor, "/items/")


def test_pages_of_items_follow_by_code_with_the_same_queries(editor: Client, rides: Path) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(editor, "/items/")
        return len(queries)

    before = taken()
    row = ItemVersion.objects.get(item_id="transit.bus_ride")
    for n in range(register.PAGE):
        item = Item.objects.create(code=f"zoo.i{n:03}", field="zoo", level="city", area="320600")
        ItemVersion.objects.create(
            item=item, version=1, starts_on=row.starts_on, declaration=row.declaration, digest=row.digest
        )
    assert taken() == before
    assert len(_listed(first := shown(editor, "/items/"))) == register.PAGE
    last = f"zoo.i{register.PAGE - 3:03}"
    assert f"?after={last}" in first
    assert _listed(shown(editor, f"/items/?after={last}")) == [f"zoo.i{n:03}" for n in range(48, 50)]


def test_a_file_is_read_before_it_is_kept_and_keeping_it_twice_changes_nothing(editor: Client, rides: Path) -> None:
    file = SimpleUploadedFile("bus_ride.toml", second().replace("\n", "\r\n").encode())
    page = editor.post("/items/upload/", {"file": file}).content.decode()
    assert "与 transit.bus_ride@1 相比" in page
    assert "price.full_fen" in page
    assert "full_fen = 300" in page  # the field has it, to be mended
    assert ItemVersion.objects.count() == 2
    answer = checked(editor, second(), seen=seen_in(page))
    assert answer["Location"] == f"{RIDES}versions/2/"
    kept = ItemVersion.objects.get(item_id="transit.bus_ride", version=2)
    assert (kept.stage, kept.loaded_by.startswith("staff:")) == (Stage.DRAFT, True)
    facts = len(audit.facts_about("item:transit.bus_ride"))
    assert "没有变化" in checked(editor, second()).content.decode()
    assert len(audit.facts_about("item:transit.bus_ride")) == facts


def test_what_came_between_is_read_first(editor: Client, rides: Path) -> None:
    seen = seen_in(checked(editor, second(300)).content.decode())
    stored(a_staff_client(an_officer("ma", "catalogue_editor")), second(250))
    answer = checked(editor, second(300), seen=seen)
    assert answer.status_code == 200
    assert "在您查看之后有了变化" in answer.content.decode()
    kept = ItemVersion.objects.get(item_id="transit.bus_ride", version=2)
    assert kept.declaration["price"]["full_fen"] == 250


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"text": RIDE.replace("full_fen", "full_fee")}, "full_fee"),
        ({"text": RIDE.replace("full_fen", "full_fee"), "seen": "0" * 64}, "full_fee"),
        ({"text": RIDE.replace("full_fen = 200", "full_fen = 100")}, "请另立新版本"),
        ({"text": RIDE.replace('"test/13"', '"nothing/1"')}, "$.legal_basis[0]"),
        ({"text": " "}, "请选择一个文件"),
        ({"file": SimpleUploadedFile("x.toml", b"\xff\xfe")}, "不是 UTF-8"),
        ({"file": SimpleUploadedFile("x.toml", b"#" * 200_001)}, "文件太大"),
        ({"text": ".".join(["a"] * 20_000) + " = 1"}, "每行最多 200 个点"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_in_words(
    editor: Client, rides: Path, sent: dict[str, object], told: str
) -> None:
    response = editor.post("/items/upload/", sent)
    assert response.status_code == 422
    page = response.content.decode()
    assert told in page
    assert page.count("有 1 处需要修改") == 1
    assert ItemVersion.objects.count() == 2


def test_a_file_that_an_editor_of_windows_marked_is_taken(editor: Client, rides: Path) -> None:
    file = SimpleUploadedFile("bus_ride.toml", second().encode("utf-8-sig"))
    assert "与 transit.bus_ride@1 相比" in editor.post("/items/upload/", {"file": file}).content.decode()


def test_a_file_of_other_places_is_not_taken(rides: Path) -> None:
    county = a_staff_client(an_officer("he", "catalogue_editor", place="320682"))
    assert checked(county, second()).status_code == 403
    page = checked(county, an_item("culture.museum", 'level = "county"', area="320682")).content.decode()
    assert "新项目，以下全部是新增的" in page


def test_two_persons_publish_and_each_step_leaves_a_fact(editor: Client, approver: Client, rides: Path) -> None:
    stored(editor, second())
    path = f"{RIDES}versions/2/"
    assert "送审后内容不能再改" in shown(editor, path)
    assert editor.post(f"{path}submit/")["Location"] == path
    assert approver.post(f"{path}send-back/", {"reason": " "}).status_code == 422
    approver.post(f"{path}send-back/", {"reason": "票价待定"})
    editor.post(f"{path}submit/")
    assert "没有" in shown(editor, f"{path}publish/")
    assert editor.post(f"{path}publish/").status_code == 403
    assert approver.post(f"{path}publish/").status_code == 302
    kept = ItemVersion.objects.get(item_id="transit.bus_ride", version=2)
    assert kept.stage == Stage.PUBLISHED
    assert ItemVersion.objects.get(item_id="transit.bus_ride", version=1).ends_on == kept.starts_on
    day = {"day": kept.starts_on.isoformat(), "reason": "不再实行"}
    assert approver.post(f"{path}end/", {"day": "soon", "reason": "x"}).status_code == 422
    assert approver.post(f"{path}end/", {**day, "day": "2020-01-01"}).status_code == 422
    assert approver.post(f"{path}end/", day).status_code == 302
    told = [fact.verb for fact in audit.facts_about("item:transit.bus_ride")[:6]]
    assert told == [f"catalogue.{verb}" for verb in ("end", "publish", "submit", "send_back", "submit", "load")]
    assert "现在不能办理" in shown(approver, f"{path}send-back/")


def test_who_made_a_version_reads_why_they_do_not_publish_it(rides: Path) -> None:
    both = a_staff_client(an_officer("wei", "catalogue_editor", "catalogue_approver"))
    stored(both, second())
    path = f"{RIDES}versions/2/"
    both.post(f"{path}submit/")
    assert "您装载或送审了这一版，不能自己发布" in shown(both, path)
    assert "您装载或送审了这一版，不能自己发布" in shown(both, f"{path}publish/")
    refused = both.post(f"{path}publish/")
    assert refused.status_code == 403
    assert "请由另一位有此权限的工作人员发布" in refused.content.decode()
    assert ItemVersion.objects.get(item_id="transit.bus_ride", version=2).stage == Stage.REVIEW
    assert "等待发布的项目版本" in shown(both, "/")
    county = a_staff_client(an_officer("he", "catalogue_approver", place="320682"))
    assert "等待发布的项目版本" not in shown(county, "/")
    both.post(f"{path}send-back/", {"reason": "自己撤回"})
    assert ItemVersion.objects.get(item_id="transit.bus_ride", version=2).stage == Stage.DRAFT


def test_who_decided_is_asked_where_the_file_does_not_say(editor: Client, approver: Client, rides: Path) -> None:
    text = "\n".join(line for line in second().splitlines() if not line.startswith("decided"))
    stored(editor, text)
    path = f"{RIDES}versions/2/"
    editor.post(f"{path}submit/")
    assert "决定机关（中文）" in shown(approver, f"{path}publish/")
    assert approver.post(f"{path}publish/").status_code == 422
    given = {"decided_zh": "专班", "decided_en": "The group", "decided_on": clock.today().isoformat()}
    assert approver.post(f"{path}publish/", given).status_code == 302
    assert "专班" in shown(approver, path)


def test_a_version_is_read_in_words_key_by_key_and_as_files(editor: Client, rides: Path) -> None:
    page = shown(editor, FIRST)
    for told in ("2.00 元", "测试规定", "老人", "price.full_fen", "测试专班", "今天有效"):
        assert told in page, told
    assert "居民在公开清单上读到的" in shown(editor, f"{FIRST}preview/")
    toml = editor.get("/items/transit.bus_ride/versions/1.toml")
    assert toml["Content-Disposition"] == 'attachment; filename="transit.bus_ride.1.toml"'
    assert item_files.parse(toml.content.decode(), "x") == files.one(RIDE, "x").items[0].item
    plain = json.loads(editor.get("/items/transit.bus_ride/versions/1.json").content)
    assert plain["price"]["full_fen"] == 200


def test_any_two_versions_are_compared(editor: Client, rides: Path) -> None:
    stored(editor, second())
    page = shown(editor, f"{RIDES}difference/")
    assert "第 1 版 → 第 2 版" in page
    assert "price.full_fen" in page
    assert "第 2 版 → 第 1 版" in shown(editor, f"{RIDES}difference/?from=2&to=1")
    assert "两个版本内容相同" in shown(editor, f"{RIDES}difference/?from=1&to=1")
    assert "第 1 版 → 第 2 版" in shown(editor, f"{RIDES}difference/?from=x&to=99")


def test_an_item_is_suspended_for_a_reason_by_who_may_everywhere(rides: Path) -> None:
    here = a_staff_client(an_officer("sun", "administrator"))
    assert here.post(f"{RIDES}suspend/", {"reason": "核查"}).status_code == 403
    everywhere = a_staff_client(an_officer("yu", "administrator", place=""))
    assert "暂停办理" in shown(everywhere, RIDES)
    assert everywhere.post(f"{RIDES}suspend/", {"reason": "核查"}).status_code == 302
    assert Item.objects.get(pk="transit.bus_ride").state == "suspended"
    assert "现在不能办理" in shown(everywhere, f"{RIDES}suspend/")
    assert everywhere.post(f"{RIDES}resume/", {"reason": "已核查"}).status_code == 302
    assert everywhere.get(f"{RIDES}nothing/").status_code == 404


def test_points_offer_an_item_and_stop(editor: Client) -> None:
    stop: Point = the_catalogue()
    path = f"{RIDES}points/"
    assert stop.code in shown(editor, path)
    assert editor.post(f"{path}stopped/", {"point": stop.code, "reason": " "}).status_code == 422
    assert editor.post(f"{path}stopped/", {"point": stop.code, "reason": "撤站"}).status_code == 302
    assert not Offer.objects.exists()
    assert "没有用卡点开通此项目" in shown(editor, path)
    refused = editor.post(f"{path}new/", {"point": stop.code, "capacity_count": "5"})
    assert refused.status_code == 422
    assert "未规定容量" in refused.content.decode()
    assert editor.post(f"{path}new/", {"point": stop.code}).status_code == 302
    assert Offer.objects.get().item_id == "transit.bus_ride"
    assert editor.post(f"{path}new/", {"point": "nowhere"}).status_code in (403, 404)
    far = a_staff_client(an_officer("he", "catalogue_editor", place="3205"))
    assert stop.code not in shown(far, path)
    assert far.post(f"{path}new/", {"point": stop.code}).status_code == 403


def test_legal_bases_lead_to_the_items_that_point_to_them(editor: Client, rides: Path) -> None:
    assert "测试规定" in shown(editor, "/legal-bases/")
    page = shown(editor, "/legal-bases/test/")
    assert "可以乘车。" in page
    assert f'href="{RIDES}"' in page


def test_submitting_twice_is_said_in_words(editor: Client, rides: Path) -> None:
    stored(editor, second())
    path = f"{RIDES}versions/2/"
    for _ in range(2):
        assert editor.post(f"{path}submit/").status_code == 302
    refused = checked(editor, second(310))
    assert refused.status_code == 422
    assert "正在送审，不能修改" in refused.content.decode()
    told = [fact.verb for fact in audit.facts_about("item:transit.bus_ride")]
    assert told.count("catalogue.submit") == 2  # the first version's, and once for this one


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("12.50", 1_250),
        ("3", 300),
        ("0.01", 1),
        ("１２．５", 1_250),
        ("１２。５０", 1_250),
        ("10000000", FEN_MAX),
        ("", None),
    ],
)
def test_an_amount_is_typed_in_yuan(typed: str, fen: int | None) -> None:
    assert YuanField(required=False, fen_max=FEN_MAX).clean(typed) == fen


@pytest.mark.parametrize(
    "typed", ["0", "-1", "1.005", "1e-9", "十元", "NaN", "Infinity", "1e9", "9" * 40, "0x1", "1_0", "٣", "1,5"]
)
def test_what_is_no_amount_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValidationError, match=r"金额写作 12\.50"):
        YuanField(required=False, fen_max=FEN_MAX).clean(typed)


def test_what_is_more_than_any_amount_is_refused() -> None:
    with pytest.raises(ValidationError, match="金额不能超过 10,000,000 元"):
        YuanField(required=False, fen_max=FEN_MAX).clean("10000000.01")


@pytest.mark.parametrize(("field", "typed"), [("card", "A00000000"), ("item", "transit.nothing"), ("point", "nowhere")])
def test_what_if_says_beside_the_field_what_is_not_known(field: str, typed: str) -> None:
    stop = the_catalogue()
    card = a_card(holder=a_registered_holder())
    asked = {"card": card.number, "item": "transit.bus_ride", "point": stop.code, "reason": "核对", field: typed}
    response = a_staff_client(an_officer("sun", "clerk", "auditor")).post("/what-if/", asked)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
