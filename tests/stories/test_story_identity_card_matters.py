"""Matters for which the law wants the resident identity card: always refused, with that reason and its article."""

import pytest
from tests.stories.city import BEIJING, WORKING, StoryCity, at, why

from onecard_kit.reasons import reasons
from onecard_kit.verdicts import WORDS, Verdict

MORNING = at(WORKING, "09:00")
MATTERS = [
    ("government.household_register_change", "NT-GOV-W2", "js-2022/10", "常住户口登记项目变更"),
    ("government.exit_papers", "NT-GOV-W2", "js-2022/10", "出境"),
    ("government.marriage_registration", "NT-GOV-W3", "js-2022/10", "婚姻登记"),
    ("government.adoption_registration", "NT-GOV-W3", "js-2022/10", "收养登记"),
    ("mobilisation.military_registration", "NT-GOV-W4", "js-2022/10", "兵役登记"),
    ("protection.disability_certificate", "NT-GOV-W5", "gz-2022/32", "残疾人证"),
]


@pytest.mark.parametrize(("item", "window", "basis", "matter"), MATTERS)
@pytest.mark.parametrize("counter", [None, 1])
def test_it_is_refused_with_its_basis_and_article(
    city: StoryCity, item: str, window: str, basis: str, matter: str, counter: int | None
) -> None:
    card = city.a_holder("disabled")
    with city.money() as moved:
        answer = city.use(card, item, window, MORNING, counter=counter)
    assert (answer.verdict, moved) == (Verdict.LEGALLY_EXCLUDED, {})
    assert why(answer) == ["LEGALLY_EXCLUDED", f"BASIS:{basis}"]
    assert WORDS[answer.verdict].next_zh
    told = reasons(answer.verdict, answer.item, 0, 0, 0, None)[1]
    assert matter in told["zh"]
    assert "居民身份证" in told["zh"]
    assert "resident identity card" in told["en"]


@pytest.mark.parametrize(("item", "window", "basis", "matter"), MATTERS)
def test_the_basis_stands_in_the_register(city: StoryCity, item: str, window: str, basis: str, matter: str) -> None:
    found = city.run("SELECT article FROM catalogue_legal_basis WHERE code = $1", basis)
    assert found == [(basis.partition("/")[2],)]
    ((named,),) = city.run("SELECT declaration->'legal_basis' FROM catalogue_item_version WHERE item_id = $1", item)
    assert basis in named


def test_a_lost_card_hears_that_first(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(state="lost"), MATTERS[0][0], "NT-GOV-W2", MORNING) is Verdict.CARD_LOST


def test_the_same_window_takes_the_card_for_what_the_law_allows(city: StoryCity) -> None:
    card = city.a_holder(fen=None, place=BEIJING)
    assert city.verdict(card, MATTERS[0][0], "NT-GOV-W2", MORNING) is Verdict.LEGALLY_EXCLUDED
    assert city.verdict(card, "government.window_identity", "NT-GOV-W2", MORNING) is Verdict.ADMITTED
