"""Decisions in words, in both languages: what a person is told, and what was looked at."""

import re

import pytest
from msgspec.structs import replace
from tests.kit.builders import DAY, ITEM, METRO, a_concession, facts, holding, tapping_in, with_item

from onecard_kit.classes import CLASSES
from onecard_kit.decide import LADDER, Fit, Step, decide
from onecard_kit.reasons import FUNDERS, class_name, explain, reasons
from onecard_kit.terms import (
    BORNE_BY_OPERATOR,
    FUNDER_ROLES,
    Bilingual,
    Concession,
    Discount,
    Excluded,
    Means,
    Transfer,
)
from onecard_kit.verdicts import WORDS, Verdict

CHINESE = re.compile("[一-鿿]")
FITS = [value for name, value in vars(Fit).items() if name.isupper()]


def told(concession: Concession | None, full_fen: int, paid_fen: int, waived_fen: int = 0) -> list[dict[str, str]]:
    item = replace(ITEM, concession=(concession,) if concession else ())
    return reasons(Verdict.ADMITTED, item, full_fen, paid_fen, waived_fen, concession.key if concession else None)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_words_in_both_languages_and_a_next_step(verdict: Verdict) -> None:
    words = WORDS[verdict]
    assert CHINESE.search(words.zh)
    assert words.en.isascii()
    assert bool(words.next_zh) is bool(words.next_en) is (verdict is not Verdict.ADMITTED)
    assert verdict.value == verdict.name


# What is paid and why -------------------------------------------------------------------------------------------------


def test_the_reasons_name_class_price_and_funder() -> None:
    assert told(None, 205, 205)[-1] == {"code": "FULL_PRICE", "zh": "全价2.05元", "en": "Full price ¥2.05"}
    assert told(a_concession("senior_70", 0), 200, 0)[-1] == {
        "code": "CONCESSION:senior_70",
        "zh": "70周岁及以上老人：原价2.00元，实付0.00元，2.00元由市财政承担",
        "en": "Senior aged 70 and over: full price ¥2.00, you pay ¥0.00, the city treasury bears ¥2.00",
    }
    assert told(a_concession(percent=95, funded_by=BORNE_BY_OPERATOR), 1, 0)[-1] == {
        "code": "CONCESSION:everyone",
        "zh": "所有持卡人：原价0.01元，实付0.00元，0.01元由运营单位承担",
        "en": "Every holder: full price ¥0.01, you pay ¥0.00, the operator bears ¥0.01",
    }


def test_a_concession_goes_by_its_note_else_by_its_class_or_pass() -> None:
    note = Bilingual(zh="午间优惠", en="Noon offer")
    noted = told(a_concession("senior_70", key="noon", note=note), 200, 100)[-1]
    assert (noted["code"], noted["zh"][:5], noted["en"][:11]) == ("CONCESSION:noon", "午间优惠：", "Noon offer:")
    sold = told(a_concession(None, pass_="tourism.year_pass", price=Discount(percent=0)), 200, 0)[-1]
    assert sold["code"] == "CONCESSION:tourism.year_pass"
    assert (sold["zh"][:2], sold["en"][:9]) == ("持有", "Holder of")


def test_what_the_operator_waives_is_told_apart_from_the_concession() -> None:
    price, waived = told(a_concession("senior_60", 50), 200, 30, 70)[1:]
    assert price["en"] == "Senior aged 60 to 69: full price ¥2.00, you pay ¥1.00, the city treasury bears ¥1.00"
    assert waived == {
        "code": "WAIVED",
        "zh": "换乘优惠、当日封顶或离线放行再减0.70元，实付0.30元，由运营单位承担",
        "en": "Changing, the day's cap or an offline gate takes off ¥0.70, borne by the operator; you pay ¥0.30",
    }
    assert [words["code"] for words in told(None, 200, 50, 150)] == ["ADMITTED", "FULL_PRICE", "WAIVED"]


def test_the_beginning_of_a_journey_speaks_of_what_is_held_and_not_of_a_price() -> None:
    item = replace(METRO, concession=(a_concession("senior_60", 50),))
    assert reasons(Verdict.ADMITTED, item, 0, 0, 0, None, 400)[1:] == [{
        "code": "FULL_PRICE",
        "zh": "全价：出站（离场）时结算，最多4.00元，已冻结",
        "en": "Full price: settled on the way out; ¥4.00 at most, which is held",
    }]  # fmt: skip
    assert reasons(Verdict.ADMITTED, item, 0, 0, 0, "senior_60", 200)[-1] == {
        "code": "CONCESSION:senior_60",
        "zh": "60至69周岁老人：出站（离场）时结算，最多2.00元，已冻结",
        "en": "Senior aged 60 to 69: settled on the way out; ¥2.00 at most, which is held",
    }


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.ADMITTED])
def test_a_refusal_gives_itself_as_the_reason(verdict: Verdict) -> None:
    words = WORDS[verdict]
    refusal = {"code": verdict.value, "zh": words.zh, "en": words.en}
    for item in (ITEM, None):
        assert reasons(verdict, item, 0, 0, 0, None) == [refusal]


def test_a_refusal_by_law_gives_the_article_too() -> None:
    excluded = Excluded(
        basis="wz-2024/3.1.1", zh="户口登记须出示居民身份证", en="Household registration takes the ID card"
    )
    item = replace(ITEM, price=None, limit=None, excluded=excluded)
    assert reasons(Verdict.LEGALLY_EXCLUDED, item, 0, 0, 0, None)[1:] == [
        {"code": "BASIS:wz-2024/3.1.1", "zh": excluded.zh, "en": excluded.en}
    ]
    assert len(reasons(Verdict.CARD_LOST, item, 0, 0, 0, None)) == 1


def test_an_admission_without_a_price_speaks_of_none() -> None:
    admitted = [{"code": "ADMITTED", "zh": "通过", "en": "Admitted"}]
    for item in (replace(ITEM, price=None), None):
        assert reasons(Verdict.ADMITTED, item, 0, 0, 0, None) == admitted


@pytest.mark.parametrize("funder", [BORNE_BY_OPERATOR, *FUNDER_ROLES])
def test_every_funder_has_a_name(funder: str) -> None:
    words = told(a_concession(funded_by=funder), 200, 100)[-1]
    zh, en = FUNDERS[funder]
    assert CHINESE.search(zh)
    assert en.isascii()
    assert words["zh"].endswith(f"1.00元由{zh}承担")
    assert words["en"].endswith(f"{en} bears ¥1.00")


@pytest.mark.parametrize("code", ["everyone", *(each.code for each in CLASSES)])
def test_every_class_has_a_name_in_both_languages(code: str) -> None:
    zh, en = class_name(code)
    assert not zh.isascii()
    assert en.isascii()


# What was looked at ---------------------------------------------------------------------------------------------------


def words_of(rule: str, outcome: str) -> tuple[str, str]:
    (words,) = explain([Step(rule, outcome)], replace(ITEM, concession=(a_concession(),)))
    assert (words["rule"], words["outcome"]) == (rule, outcome)
    return words["zh"], words["en"]


@pytest.mark.parametrize("check", [*LADDER, "transfer", "day_cap", "funds"])
def test_every_check_has_a_name_in_both_languages(check: str) -> None:
    zh, en = words_of(check, "passed")
    assert CHINESE.search(zh.removesuffix("：通过"))
    assert en.isascii()
    assert en.endswith(": passed")


@pytest.mark.parametrize(
    "outcome", [*FITS, *Verdict, "held", "asks:bank", "applied", "not_applied", *(f"paid:{m}" for m in Means)]
)
def test_everything_that_a_rule_can_come_to_has_words_in_both_languages(outcome: str) -> None:
    for rule in ("funds", "transit.bus_ride/everyone"):
        zh, en = words_of(rule, outcome)
        assert CHINESE.search(zh.partition("：")[2])
        assert en.isascii()
        assert len(en.partition(": ")[2]) > 3


def test_what_was_looked_at_is_told_in_order_with_what_it_leaves_to_pay() -> None:
    declared = (a_concession("veteran", 0), a_concession("everyone", 90, funded_by=BORNE_BY_OPERATOR))
    changed = with_item(
        limit=None, concession=declared, transfer=Transfer(after=("a.b",), within_minutes=9, off_fen=50)
    )
    trace: list[Step] = []
    decide(replace(changed, changed_minutes_ago=3), trace)
    lines = explain(trace, changed.item)
    assert [line["rule"] for line in lines[: len(LADDER)]] == list(LADDER)
    assert [line["zh"] for line in lines[len(LADDER) :]] == [
        "退役军人（市财政承担）：不具备该资格（若适用，应付0.00元）",
        "所有持卡人（运营单位承担）：最优惠，已适用（应付1.80元）",
        "换乘优惠：已适用（应付1.30元）",
        "支付：由钱包支付（应付1.30元）",
    ]
    assert lines[-3]["en"] == "Every holder (borne by the operator): best, so it is applied (¥1.80 to pay)"


def test_a_refusal_is_told_in_the_words_of_its_verdict() -> None:
    for changed, rule in ((facts({"standing.card_state": "lost"}), "card"), (tapping_in(purse_free_fen=1), "funds")):
        trace: list[Step] = []
        verdict = decide(changed, trace).verdict
        last = explain(trace, changed.item)[-1]
        assert (last["rule"], last["outcome"]) == (rule, verdict)
        assert WORDS[verdict].zh in last["zh"]
        assert WORDS[verdict].en in last["en"]


def test_nothing_is_told_of_a_concession_before_the_ladder_let_the_holder_by() -> None:
    trace: list[Step] = []
    decide(replace(holding(("veteran", DAY, None), concession=(a_concession(),)), replayed=True), trace)
    assert [line["rule"] for line in explain(trace, ITEM)] == list(LADDER[: LADDER.index("fresh") + 1])
