"""The register of legal bases: every text, its articles in their order, and the items that point to them."""

from pathlib import Path

import pytest
from django.test import Client
from tests.kernel.catalogue.builders import LEGAL_BASES, a_folder, an_item, load_published

from onecard.foundation.actors import system
from onecard.kernel.catalogue import files, loading
from onecard.kernel.catalogue.models import Item, LegalBasis
from onecard.scenarios import legal

pytestmark = pytest.mark.django_db
TEXT = LEGAL_BASES.replace("effective_on", 'repeals = "旧办法"\neffective_on') + "".join(
    f'\n[[text.article]]\nnumber = "{number}"\nzh = "{number}的内容"\nen = "What {number} says"\n'
    for number in ("9", "10", "3.2", "3.1.1")
)


def page(path: str, **query: str) -> str:
    response = Client().get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_register_is_reached_from_the_list_and_from_an_item(tmp_path: Path) -> None:
    load_published(tmp_path, an_item("transit.bus"))
    assert 'href="/legal-bases"' in page("/services")
    assert 'href="/legal-bases/test"' in page("/services/transit.bus")
    register = page("/legal-bases")
    for words in ('href="/legal-bases/test"', "测试规定", "测试机关", "2022-10-01 起施行"):
        assert words in register


def test_a_text_has_its_articles_in_order_and_who_points_to_them(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, an_item("transit.bus"), an_item("culture.museum"), legal_bases=TEXT)
    loading.load(system("test"), files.read(folder), publish=True)
    Item.objects.filter(pk="culture.museum").update(state="suspended")
    told = page("/legal-bases/test")
    assert '<a href="/services/transit.bus">项目bus</a>' in told
    for words in ("测试规定", "测试机关", "2022-10-01", "旧办法", "可以乘车。"):
        assert words in told
    assert "museum" not in told
    numbers = [part.split(" ", 1)[0] for part in told.split("<dt>第 ")[1:]]
    assert numbers == ["3.1.1", "3.2", "9", "10", "13"]
    english = page("/legal-bases/test", lang="en")
    for words in ("Test regulation", "What 3.1.1 says", "Items that point to it:", "Repeals"):
        assert words in english


def test_a_long_register_is_paged_by_key() -> None:
    names = dict.fromkeys(("issuer_zh", "issuer_en", "title_zh", "title_en", "text_zh", "text_en"), "x")
    LegalBasis.objects.bulk_create(
        LegalBasis(code=f"law-{n:02d}", article="", repeals="", **names) for n in range(legal.PAGE + 1)
    )
    first = page("/legal-bases")
    assert (f"law-{legal.PAGE:02d}" in first, "下一页" in first) == (False, True)
    second = page("/legal-bases", after=f"law-{legal.PAGE - 1:02d}")
    assert (f"law-{legal.PAGE:02d}" in second, "law-00" in second, "下一页" in second) == (True, False, False)


@pytest.mark.parametrize("code", ["nowhere", "test/13", "%00"])
def test_what_is_no_text_is_not_found(tmp_path: Path, code: str) -> None:
    load_published(tmp_path, an_item("transit.bus"))
    response = Client().get(f"/legal-bases/{code}")
    assert response.status_code == 404
