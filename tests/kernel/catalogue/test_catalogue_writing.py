"""An item written as a file is read as the same item, and says no more than it has to."""

import tomllib

import pytest
from tests.kernel.catalogue.builders import RIDE, an_item

from onecard.foundation.errors import BadInput
from onecard.kernel.catalogue import files, writing
from onecard.scenarios import FOLDER
from onecard_kit.terms import Item

SHIPPED = [placed.item for placed in files.read(FOLDER).items]


def read(text: str) -> Item:
    return files.one(text, "item.toml").items[0].item


@pytest.mark.parametrize("item", SHIPPED, ids=lambda item: item.code)
def test_every_shipped_item_comes_back_as_it_was(item: Item) -> None:
    assert read(writing.toml_of(item)) == item


def test_what_goes_without_saying_is_left_out() -> None:
    told = tomllib.loads(writing.toml_of(read(RIDE)))
    assert told.keys() == tomllib.loads(RIDE).keys()
    assert told["concession"] == tomllib.loads(RIDE)["concession"]


def test_quotes_and_backslashes_come_back() -> None:
    item = read(an_item("culture.museum", r"""guide = { zh = "他说\"请\\进\"", en = "a \"b\" \\ c" }"""))
    assert item.guide is not None
    assert item.guide.en == 'a "b" \\ c'
    assert read(writing.toml_of(item)) == item


def test_a_file_by_itself_is_refused_with_its_name_and_path() -> None:
    with pytest.raises(BadInput, match=r"ride\.toml: \$\.price"):
        files.one(RIDE.replace("full_fen = 200", "full_fen = -1"), "ride.toml")
