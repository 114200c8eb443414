"""Every item has its story, and everything the demo city offers can be offered."""

from collections import Counter
from pathlib import Path

from tests.stories.city import StoryCity

from onecard import scenarios
from onecard.demo import nantong
from onecard.kernel.catalogue import files
from onecard_kit.terms import BORNE_BY_OPERATOR, FUNDER_ROLES, LEDGER_OF_ROLE, Item, Level, Means

ITEMS = {placed.item.code: placed.item for placed in files.read(scenarios.FOLDER).items}
HERE = Path(__file__).parent


def test_every_item_has_a_story() -> None:
    told = "".join(path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_story_*.py")))
    assert [code for code in ITEMS if f'"{code}"' not in told] == []


def test_every_item_says_what_a_published_list_must_say() -> None:
    for item in ITEMS.values():
        said = (item.area, item.decided, item.lead_unit, item.supporting_units, item.audience, item.channels,
                item.conditions, item.steps, item.time_limit, item.guide)  # fmt: skip
        assert all(said), item.code


def test_the_items_stand_on_lists_of_all_four_levels() -> None:
    of_level = Counter(item.level for item in ITEMS.values())
    assert set(of_level) == set(Level)
    assert of_level[Level.PROVINCE] >= 2
    counties = [item for item in ITEMS.values() if item.level is Level.COUNTY]
    assert [item.code for item in counties if item.extends not in ITEMS] == []


def test_every_item_is_offered_somewhere_and_every_offer_stands(city: StoryCity) -> None:
    offered = [(point.code, item) for point in nantong.POINTS for item in point.items]
    assert {item for _, item in offered} == set(ITEMS)
    stored = city.run(
        "SELECT p.code, o.item_id FROM catalogue_offer o JOIN catalogue_point p ON p.id = o.point_id ORDER BY 1, 2"
    )
    assert stored == sorted(offered)


def test_whoever_an_item_pays_has_the_accounts_for_it() -> None:
    """A missing account would be found at the gate, by the first holder whom the concession meets."""
    opened = {(account.party, account.role, account.ledger) for account in nantong.ACCOUNTS}
    for point in nantong.POINTS:
        for item in (ITEMS[code] for code in point.items):
            assert _needed(item, point) <= opened, (point.code, item.code)


def _needed(item: Item, point: nantong.PointRow) -> set[tuple[str, str, str]]:
    """(party, role, ledger) of all accounts that uses of an item at a point may move, besides purses."""
    if item.price is None:
        return set()
    holders = {"treasury.city": nantong.TREASURY, "bank.settlement": nantong.BANK, "operator.receivable": point.party}
    bearers = {item.offline.shortfall, item.offline.double, item.offline.refused} if item.offline else set()
    payers = {item.price.payer, *(each.funded_by for each in item.concession), *(bearers & set(FUNDER_ROLES))}
    payers -= {BORNE_BY_OPERATOR}
    payers |= {"bank.settlement"} if Means.BANK in item.means else set()
    ledgers = {LEDGER_OF_ROLE[payer] for payer in payers}
    needed = {(holders.get(payer, point.sponsor or point.party), payer, LEDGER_OF_ROLE[payer]) for payer in payers}
    needed |= {(point.party, item.price.payee, ledger) for ledger in ledgers}
    return {each for each in needed if each[1] != "holder.purse"}
