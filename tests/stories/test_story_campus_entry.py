"""Campus entry: for students and teachers, while the gate is open."""

import pytest
from tests.stories.city import BEIJING, WORKING, StoryCity, at

from onecard_kit.verdicts import Verdict

ITEM, GATE = "education.campus_entry", "NT-SCH-G1"
MORNING = at(WORKING, "07:20")


@pytest.mark.parametrize(
    ("classes", "verdict"),
    [
        (("student",), Verdict.ADMITTED),
        (("teacher",), Verdict.ADMITTED),
        ((), Verdict.NOT_ENTITLED),
        (("pupil_6_14",), Verdict.NOT_ENTITLED),  # of the age, and enrolled nowhere
        (("senior_70", "volunteer"), Verdict.NOT_ENTITLED),
    ],
)
def test_who_studies_or_teaches_comes_in(city: StoryCity, classes: tuple[str, ...], verdict: Verdict) -> None:
    assert city.verdict(city.a_holder(*classes, fen=None, place=BEIJING), ITEM, GATE, MORNING) is verdict


def test_a_certificate_opens_the_gate_on_its_days_alone(city: StoryCity) -> None:
    graduate = city.a_card(classes=[("student", "2023-09-01", "2026-03-11")])
    assert city.verdict(graduate, ITEM, GATE, at("2026-03-10", "07:20")) is Verdict.ADMITTED
    assert city.verdict(graduate, ITEM, GATE, MORNING) is Verdict.NOT_ENTITLED


def test_the_gate_has_its_hours_and_the_boarders_gate_none(city: StoryCity) -> None:
    student, night = city.a_holder("student"), at(WORKING, "22:30")
    assert city.verdict(student, ITEM, GATE, night) is Verdict.POINT_CLOSED
    assert city.verdict(student, ITEM, "NT-SCH-G3", night) is Verdict.ADMITTED


def test_refusals_of_the_card(city: StoryCity) -> None:
    suspended = city.a_card(function_state="suspended", classes=[("student", "2020-01-01", None)])
    assert city.verdict(suspended, ITEM, GATE, MORNING) is Verdict.FUNCTION_INACTIVE
    lost = city.a_card(state="lost", classes=[("student", "2020-01-01", None)])
    assert city.verdict(lost, ITEM, GATE, MORNING) is Verdict.CARD_LOST
