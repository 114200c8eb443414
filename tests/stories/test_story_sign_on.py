"""Sign-on to government sites: by code alone, twenty times a day."""

from tests.stories.city import BEIJING, WORKING, StoryCity, at

from onecard_kit.verdicts import Verdict

ITEM, SITE = "government.sign_on", "NT-GOV-NET"
MORNING = at(WORKING, "09:00")


def test_a_code_signs_its_holder_on(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(fen=None, place=BEIJING), ITEM, SITE, MORNING) is Verdict.ADMITTED


def test_a_code_signs_on_once(city: StoryCity) -> None:
    card = city.a_holder()
    code = city.a_code(card, at=MORNING)
    terminal = city.terminal_at(SITE)
    first, again = (city.a_line(terminal, item=ITEM, code=code, at=MORNING) for _ in range(2))
    assert [each.verdict for each in city.together(first, again)] == [Verdict.ADMITTED, Verdict.REPLAYED]


def test_twenty_times_a_day(city: StoryCity) -> None:
    card = city.a_holder()
    lines = [city.line(card, ITEM, SITE, at(WORKING, f"09:{minute:02d}")) for minute in range(21)]
    verdicts = [each.verdict for each in city.together(*lines)]
    assert verdicts == [Verdict.ADMITTED] * 20 + [Verdict.QUOTA_EXHAUSTED]
    assert city.verdict(card, ITEM, SITE, at("2026-03-12")) is Verdict.ADMITTED


def test_refusals(city: StoryCity) -> None:
    assert city.use(city.a_holder(), ITEM, SITE, MORNING, counter=1).verdict is Verdict.MEDIUM_NOT_ACCEPTED
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, SITE, MORNING) is Verdict.FUNCTION_INACTIVE
    assert city.verdict(city.a_holder(state="temp_lost"), ITEM, SITE, MORNING) is Verdict.CARD_LOST
    late = city.a_line(city.terminal_at(SITE), item=ITEM, code=city.a_code(city.a_holder(), at=MORNING), at=at(WORKING))
    assert city.together(late)[0].verdict is Verdict.CODE_EXPIRED
