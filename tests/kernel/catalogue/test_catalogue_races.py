"""Two people at one item: who comes second waits, and then hears in words what the first has made of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from django.db import transaction
from tests.kernel.catalogue.builders import (
    AREAS,
    CHECKER,
    LEGAL_BASES,
    LOADER,
    RIDE_PRICE,
    a_folder,
    a_point,
    an_item,
    load,
    publish,
)
from tests.kernel.side import WAIT_S, Side

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import Conflict
from onecard.kernel.catalogue import actions, files, loading, publishing
from onecard.kernel.catalogue.models import ItemVersion, Offer, Stage


@dataclass(frozen=True)
class Thoughtful(Actor):
    """Somebody who takes their time once the verb has locked what it is about."""

    asked: Event = field(default_factory=Event)
    goes_on: Event = field(default_factory=Event)

    def require(self, permission: str, place: str = "") -> None:
        self.asked.set()
        assert self.goes_on.wait(WAIT_S)


def a_ride(code: str, fen: int = 200) -> str:
    return an_item(code, RIDE_PRICE.replace("200", str(fen)))


def reload(tmp_path: Path, text: str, areas: str = AREAS) -> Callable[[], object]:
    return lambda: loading.load(LOADER, files.read(a_folder(tmp_path, text, areas=areas, legal_bases=LEGAL_BASES)))


STEPS: dict[str, Callable[[str], None]] = {
    "submit": lambda code: publishing.submit(LOADER, code, 1),
    "send_back": lambda code: publishing.send_back(CHECKER, code, 1, "x"),
    "publish": lambda code: publishing.publish(CHECKER, code, 1),
    "end": lambda code: publishing.end(CHECKER, code, 1, clock.today(), "x"),
}


@pytest.mark.parametrize(
    ("before", "step", "answer"),
    [
        ([], "submit", "VERSION_IN_REVIEW"),
        (["submit"], "send_back", None),
        (["submit"], "publish", "VERSION_CHANGED"),
        (["submit", "publish"], "end", "VERSION_CHANGED"),
    ],
)
def test_who_loads_waits_for_who_moves_the_version(
    side: Side, tmp_path: Path, before: list[str], step: str, answer: str | None
) -> None:
    code = f"transit.{step}_race"
    load(tmp_path, a_ride(code))
    for each in before:
        STEPS[each](code)
    with transaction.atomic():
        STEPS[step](code)
        loads = side.start(reload(tmp_path, a_ride(code, 300)))
        side.wait_for_lock(loads)
        assert not loads.done()
    if answer is None:
        loads.result(WAIT_S)
        return
    with pytest.raises(Conflict) as refused:
        loads.result(WAIT_S)
    assert refused.value.code == answer
    assert all((refused.value.zh, refused.value.en, refused.value.next_zh, refused.value.next_en))


def test_who_submits_waits_for_who_loads_and_submits_what_was_loaded(side: Side, tmp_path: Path) -> None:
    code = "transit.load_race"
    load(tmp_path, a_ride(code))
    with transaction.atomic():
        reload(tmp_path, a_ride(code, 300))()
        submits = side.start(lambda: publishing.submit(LOADER, code, 1))
        side.wait_for_lock(submits)
        assert not submits.done()
    submits.result(WAIT_S)
    version = ItemVersion.objects.get(item_id=code)
    assert (version.stage, version.declaration["price"]["full_fen"]) == (Stage.REVIEW, 300)


def test_two_who_take_a_version_different_ways_do_not_both(side: Side, tmp_path: Path) -> None:
    code = "transit.two_ways"
    load(tmp_path, a_ride(code))
    publishing.submit(LOADER, code, 1)
    with transaction.atomic():
        publishing.send_back(CHECKER, code, 1, "x")
        publishes = side.start(lambda: publishing.publish(CHECKER, code, 1))
        side.wait_for_lock(publishes)
    with pytest.raises(Conflict, match="STAGE_WRONG"):
        publishes.result(WAIT_S)


def test_a_loader_waits_before_it_holds_up_anybody(side: Side, tmp_path: Path) -> None:
    """It writes registers too, and whoever writes to the catalogue holds its revision: it must not wait with that."""
    code = "transit.patient"
    load(tmp_path, a_ride(code))
    renamed = AREAS.replace("三角洲", "大三角洲")
    slow = Thoughtful("staff:5", frozenset({"*"}))
    submits = side.start(lambda: publishing.submit(slow, code, 1))
    assert slow.asked.wait(WAIT_S)
    loads = side.start(reload(tmp_path, a_ride(code, 300), renamed))
    side.wait_for_lock(loads)
    slow.goes_on.set()
    submits.result(WAIT_S)
    with pytest.raises(Conflict, match="VERSION_IN_REVIEW"):
        loads.result(WAIT_S)


def test_a_point_offers_an_item_while_a_version_of_it_is_looked_at(side: Side, tmp_path: Path) -> None:
    """Its reference to the item is checked at its commit, when it holds the revision already."""
    code = "transit.looked_at"
    load(tmp_path, a_ride(code))
    publish(code)
    load(tmp_path, an_item(code, RIDE_PRICE, version=2, starts_on="2099-01-01"))
    a_point("looked-at", attended=False)
    slow = Thoughtful("staff:5", frozenset({"*"}))
    submits = side.start(lambda: publishing.submit(slow, code, 2))
    assert slow.asked.wait(WAIT_S)
    offers = side.start(lambda: actions.offer(system("test"), "looked-at", code))
    side.wait_for_lock(offers)
    slow.goes_on.set()
    for each in (submits, offers):
        each.result(WAIT_S)
    assert Offer.objects.filter(item_id=code).exists()
    assert ItemVersion.objects.get(item_id=code, version=2).stage == Stage.REVIEW
