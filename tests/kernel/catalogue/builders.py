"""Item files, folders and points for the catalogue's tests: only the point of the test is stated."""

from pathlib import Path

from onecard.foundation.actors import Actor, system
from onecard.kernel.catalogue import files, loading, publishing, queries
from onecard.kernel.catalogue.models import Client, Point, Terminal
from onecard.kernel.partners.models import Party, PartyKind

LOADER = Actor("staff:5", frozenset({"catalogue.load", "catalogue.submit"}))
CHECKER = Actor("staff:6", frozenset({"catalogue.send_back", "catalogue.publish", "catalogue.end"}))

LEGAL_BASES = """
[[text]]
code = "test"
issuer = { zh = "测试机关", en = "Test body" }
title = { zh = "测试规定", en = "Test regulation" }
effective_on = 2022-10-01

[[text.article]]
number = "13"
zh = "可以乘车。"
en = "One may ride."
"""
AREAS = """
[[area_set]]
code = "delta"
name = { zh = "三角洲", en = "Delta" }
places = ["31", "32"]
"""
DECIDED = 'decided = { by = { zh = "测试专班", en = "Test group" }, on = 2025-12-01 }'
CONCESSION = """
[[concession]]
class = "senior_70"
price = { percent = 0 }
funded_by = "treasury.city"
"""
RIDE_PRICE = 'price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }'


def an_item(code: str, *lines: str, version: int = 1, starts_on: str = "2026-01-01", area: str = "320600") -> str:
    """The text of an item file; `lines` come before any table."""
    name = code.partition(".")[2]
    head = (
        f'code = "{code}"',
        f"version = {version}",
        f"starts_on = {starts_on}",
        f'name = {{ zh = "项目{name}", en = "Item {name}" }}',
        'legal_basis = ["test/13"]',
        *([f'area = "{area}"'] if area else []),
        DECIDED,
    )
    return "\n".join((*head, *lines)) + "\n"


RIDE = an_item("transit.bus_ride", RIDE_PRICE, CONCESSION)
ENTRY = an_item("culture.library_entry")


def a_folder(tmp_path: Path, *items: str, areas: str = AREAS, legal_bases: str = LEGAL_BASES) -> Path:
    """A folder of scenarios; an item's file lies where its code says."""
    (tmp_path / "areas.toml").write_text(areas, encoding="utf-8")
    (tmp_path / "legal_bases.toml").write_text(legal_bases, encoding="utf-8")
    for text in items:
        field, name = text.split('code = "', 1)[1].split('"', 1)[0].split(".")
        folder = tmp_path / field / "items"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def load(tmp_path: Path, *items: str, actor: Actor = LOADER, dry_run: bool = False) -> loading.Loaded:
    """Load a folder as an officer: versions are drafts."""
    return loading.load(actor, files.read(a_folder(tmp_path, *items)), dry_run=dry_run)


def load_published(tmp_path: Path, *items: str, areas: str = AREAS) -> loading.Loaded:
    """Load a folder as a node does that is set up, and later as two officers do: versions are published."""
    folder = files.read(a_folder(tmp_path, *items, areas=areas))
    if not queries.was_set_up():
        return loading.load(system("test"), folder, publish=True)
    loaded = loading.load(LOADER, folder)
    for version in (*loaded.new, *loaded.changed):
        code, _at, number = version.partition("@")
        publish(code, int(number))
    return loaded


def publish(code: str, version: int = 1) -> None:
    """Submit and publish, by two people."""
    publishing.submit(LOADER, code, version)
    publishing.publish(CHECKER, code, version)


def a_point(code: str = "point", division: str = "320682", *, attended: bool | None = None) -> Point:
    """A point of an operator, with a terminal unless `attended` is None."""
    party, _ = Party.objects.get_or_create(
        code="party", defaults={"kind": PartyKind.OPERATOR, "name_zh": "甲", "name_en": "A", "division": "320600"}
    )
    client, _ = Client.objects.get_or_create(code="client", defaults={"party": party, "name_zh": "甲", "name_en": "A"})
    point = Point.objects.create(
        code=code, client=client, operator=party, name_zh=f"点{code}", name_en=f"Point {code}", division=division
    )
    if attended is not None:
        Terminal.objects.create(code=f"{code}-1", point=point, attended=attended)
    return point
