"""Identity numbers, ages, certificates and masks: the tables here are the specification."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard.foundation.errors import BadInput
from onecard.kernel.holders import divisions, rules
from onecard_kit import classes

TODAY = dt.date(2026, 11, 20)
DIVISIONS = divisions.load()


def a_number(division: str = "320613", birth: str = "19900307", sequence: str = "123") -> str:
    first_17 = division + birth + sequence
    return first_17 + rules.check_character(first_17)


def read(number: str, demo: bool = False, today: dt.date = TODAY) -> rules.IdentityNumber:
    return rules.read_number(number, today, DIVISIONS, demo=demo)


def fault(number: str, demo: bool = False, today: dt.date = TODAY) -> str:
    with pytest.raises(BadInput) as refusal:
        read(number, demo, today)
    error = refusal.value
    assert all((error.zh, error.en, error.next_zh, error.next_en))
    assert not number or number not in error.zh + error.en + error.next_zh + error.next_en
    return error.code


def test_a_number_tells_division_birth_and_sex() -> None:
    number = read(a_number("320613", "19900307", "123"))
    assert (number.division, number.birth_date, number.sex) == ("320613", dt.date(1990, 3, 7), 1)
    assert not number.synthetic
    assert not number.residence_permit
    assert read(a_number(sequence="124")).sex == 2


def test_the_check_character_follows_the_standard() -> None:
    """The two examples that GB 11643-1999 itself gives, one of them with X."""
    assert rules.check_character("11010519491231002") == "X"
    assert rules.check_character("44052418800101001") == "4"


@pytest.mark.parametrize(
    "typed", ["11010519491231002X", "11010519491231002x", " 110105 19491231 002x\n", "110105-19491231-002X",
              "１１０１０５１９４９１２３１００２Ｘ"],
)  # fmt: skip
def test_what_people_type_is_read_alike(typed: str) -> None:
    assert read(typed).text == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "ID_LENGTH"),
        ("320613900307123", "ID_LENGTH"),  # 15 digits, of before 1999
        (a_number() + "1", "ID_LENGTH"),
        ("X" + a_number()[1:], "ID_CHARACTERS"),
        ("32061319900307123二", "ID_CHARACTERS"),
        ("٣" + a_number()[1:], "ID_CHARACTERS"),  # a digit of another script
        (a_number()[:17] + ("0" if a_number()[17] != "0" else "1"), "ID_CHECK_DIGIT"),
        (a_number(birth="19900231"), "ID_BIRTH_DATE"),
        (a_number(birth="19901301"), "ID_BIRTH_DATE"),
        (a_number(birth="19000229"), "ID_BIRTH_DATE"),  # 1900 was no leap year
        (a_number(birth="20250229"), "ID_BIRTH_DATE"),
        (a_number(birth="20261121"), "ID_BIRTH_FUTURE"),
        (a_number(birth="18991231"), "ID_BIRTH_TOO_EARLY"),
        (a_number(sequence="000"), "ID_SEQUENCE"),
        (a_number("999999"), "ID_DIVISION_UNKNOWN"),
        (a_number("320000"), "ID_DIVISION_UNKNOWN"),  # a province
        (a_number("320600"), "ID_DIVISION_UNKNOWN"),  # a city that has counties
        (a_number("710000"), "ID_DIVISION_UNKNOWN"),  # Taiwan's permits carry 830000
        (a_number("320671"), "ID_DIVISION_UNKNOWN"),  # a development zone that only statistics count
        (a_number("320684", "20210101"), "ID_DIVISION_ABOLISHED"),  # 海门市 until 2020
        (a_number("320602", "20230101"), "ID_DIVISION_ABOLISHED"),
        (a_number("320624", "19950101"), "ID_DIVISION_ABOLISHED"),  # 南通县 until 1993
        (a_number("990601"), "ID_SYNTHETIC"),
    ],
)
def test_each_fault_has_its_code(number: str, code: str) -> None:
    assert fault(number) == code


@pytest.mark.parametrize(
    ("division", "birth"),
    [
        ("320614", "20210101"),  # 海门区 since 2020
        ("320614", "19500101"),  # registered late
        ("320684", "20200101"),  # born in the last year of 海门市
        ("320684", "19500101"),
        ("330383", "20200101"),  # 龙港市
        ("330114", "20220101"),  # 钱塘区
        ("440301", "19850101"),  # 市辖区 is printed in many numbers
        ("441900", "19900101"),  # 东莞市, a city without counties
        ("460400", "20160101"),  # 儋州市
        ("110105", "19000101"),
        ("320613", "20000229"),
        ("320613", "20261120"),  # born today
    ],
)
def test_divisions_of_any_day_of_a_life_are_accepted(division: str, birth: str) -> None:
    assert read(a_number(division, birth)).division == division


def test_a_division_that_is_not_yet_created_is_refused() -> None:
    assert fault(a_number("320614", "20100101"), today=dt.date(2015, 1, 1)) == "ID_DIVISION_FUTURE"


@pytest.mark.parametrize("division", ["810000", "820000", "830000"])
def test_residence_permits_are_accepted(division: str) -> None:
    assert read(a_number(division, "19700101")).residence_permit


@pytest.mark.parametrize("division", ["990601", "990606", "990607"])
def test_invented_people_are_accepted_only_on_a_demo_node(division: str) -> None:
    assert read(a_number(division), demo=True).synthetic
    assert fault(a_number(division)) == "ID_SYNTHETIC"
    assert division not in DIVISIONS


@pytest.mark.parametrize("division", ["990600", "990501", "990000"])
def test_other_unassigned_codes_are_refused_there_too(division: str) -> None:
    assert fault(a_number(division), demo=True) == "ID_DIVISION_UNKNOWN"


BIRTHS = st.dates(dt.date(1900, 1, 1), TODAY).map(lambda day: day.strftime("%Y%m%d"))
SEQUENCES = st.integers(1, 999).map(lambda n: f"{n:03d}")
NUMBERS = st.builds(a_number, st.sampled_from(["990601", "990607"]), BIRTHS, SEQUENCES)


@given(NUMBERS)
def test_every_built_number_is_accepted(number: str) -> None:
    assert read(number, demo=True).text == number


@given(NUMBERS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_changed_character_is_refused(number: str, position: int, character: str) -> None:
    changed = number[:position] + character + number[position + 1 :]
    if changed != number:
        fault(changed, demo=True)


@given(NUMBERS, st.integers(0, 16))
def test_two_neighbours_exchanged_are_refused(number: str, position: int) -> None:
    changed = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    if changed != number:
        fault(changed, demo=True)


@given(st.text(max_size=20))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read(text, demo=True)
    except BadInput as error:
        assert error.code in rules.ID_FAULT_CODES  # noqa: PT017 - either way is fine, only other errors are not


@pytest.mark.parametrize(
    ("code", "name", "from_year", "to_year"),
    [
        ("320600", "南通市", 1980, None),
        ("320602", "崇川区", 1980, 2020),
        ("320611", "港闸区", 1980, 2020),
        ("320612", "通州区", 2009, None),
        ("320613", "崇川区", 2020, None),
        ("320614", "海门区", 2020, None),
        ("320621", "海安县", 1983, 2018),
        ("320623", "如东县", 1983, None),
        ("320681", "启东市", 1995, None),
        ("320682", "如皋市", 1995, None),
        ("320684", "海门市", 1995, 2020),
        ("320685", "海安市", 2018, None),
        ("330114", "钱塘区", 2021, None),
        ("330383", "龙港市", 2019, None),
    ],
)
def test_the_table_of_divisions_knows_years(code: str, name: str, from_year: int, to_year: int | None) -> None:
    assert DIVISIONS[code] == divisions.Division(code, name, from_year, to_year)
    assert divisions.name_of(code) == name


def test_the_table_of_divisions_is_whole() -> None:
    standing = [each for each in DIVISIONS.values() if each.to_year is None]
    assert sum(each.code.endswith("0000") for each in standing) == 35  # 34 provinces and the permits of Taiwan
    assert sum(each.code[4:] not in ("00", "01") for each in standing) > 2_800
    assert all(each.to_year is None or each.from_year <= each.to_year <= 2023 for each in DIVISIONS.values())
    assert divisions.name_of("999999") == "999999"


@pytest.mark.parametrize(
    ("born", "age", "day"),
    [
        ((1956, 11, 20), 70, (2026, 11, 20)),
        ((1956, 12, 31), 70, (2026, 12, 31)),
        ((1956, 2, 29), 70, (2026, 3, 1)),  # a common year: the year of life is full when 28 February is over
        ((1956, 2, 29), 60, (2016, 2, 29)),  # a leap year has the day
        ((1956, 2, 28), 70, (2026, 2, 28)),
        ((2000, 2, 29), 100, (2100, 3, 1)),
    ],
)
def test_birthdays(born: tuple[int, int, int], age: int, day: tuple[int, int, int]) -> None:
    assert rules.birthday(dt.date(*born), age) == dt.date(*day)


@pytest.mark.parametrize(
    ("born", "day", "expected"),
    [
        ((2020, 11, 21), (2026, 11, 20), []),
        ((2020, 11, 20), (2026, 11, 20), ["pupil_6_14"]),
        ((2011, 11, 21), (2026, 11, 20), ["pupil_6_14"]),  # the last day at 14
        ((2011, 11, 20), (2026, 11, 20), []),  # the fifteenth birthday
        ((1990, 1, 1), (2026, 11, 20), []),
        ((1966, 11, 21), (2026, 11, 20), []),
        ((1966, 11, 20), (2026, 11, 20), ["senior_60"]),
        ((1956, 11, 21), (2026, 11, 20), ["senior_60"]),
        ((1956, 11, 20), (2026, 11, 20), ["senior_70"]),
        ((1956, 2, 29), (2026, 2, 28), ["senior_60"]),
        ((1956, 2, 29), (2026, 3, 1), ["senior_70"]),
        ((1900, 1, 1), (2026, 11, 20), ["senior_70"]),
    ],
)
def test_classes_by_age(born: tuple[int, int, int], day: tuple[int, int, int], expected: list[str]) -> None:
    assert list(rules.classes_on(rules.windows_of_birth(dt.date(*born)), dt.date(*day))) == expected


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 120))
def test_the_day_before_a_birthday_is_still_the_age_before(born: dt.date, age: int) -> None:
    day = rules.birthday(born, age)
    assert rules.birthday(born, age + 1) > day
    assert (day - born).days in (age * 365 + extra for extra in range(age // 4 + 2))


FROM, TO = dt.date(2026, 1, 1), dt.date(2026, 12, 31)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("disability_blind", {"disabled_severe", "care_free"}),
        ("disability_limb_1_2", {"disabled_severe", "care_free"}),
        ("disability_other", {"disabled", "care_half"}),
        ("wounded_soldier", {"wounded", "care_free"}),
        ("wounded_police", {"wounded", "care_free"}),
        ("special_care", {"special_care", "care_free"}),
        ("blood_donor", {"blood_donor", "care_free"}),
        ("veteran", {"veteran", "care_free"}),
        ("model_worker", {"model_worker"}),
        ("low_income", {"low_income"}),
        ("teacher", {"teacher"}),
        ("volunteer", {"volunteer"}),
        ("student", {"student"}),
        ("office_staff", {"office_staff"}),
    ],
)
def test_classes_by_certificate(kind: str, expected: set[str]) -> None:
    assert {window.code for window in rules.windows_of_certificate(kind, FROM, None)} == expected


def test_the_table_above_names_every_kind() -> None:
    assert len(rules.KINDS) == 14


@pytest.mark.parametrize(
    ("valid_to", "withdrawn_on", "to_day"),
    [
        (None, None, None),
        (TO, None, dt.date(2027, 1, 1)),  # the last day still counts
        (None, dt.date(2026, 6, 1), dt.date(2026, 6, 1)),
        (TO, dt.date(2026, 6, 1), dt.date(2026, 6, 1)),
        (TO, dt.date(2027, 6, 1), dt.date(2027, 1, 1)),
    ],
)
def test_a_certificate_ends(valid_to: dt.date | None, withdrawn_on: dt.date | None, to_day: dt.date | None) -> None:
    assert rules.windows_of_certificate("teacher", FROM, valid_to, withdrawn_on) == [
        rules.Window("teacher", FROM, to_day)
    ]


@pytest.mark.parametrize("withdrawn_on", [FROM, dt.date(2025, 6, 1)])
def test_a_certificate_withdrawn_before_it_began_gives_nothing(withdrawn_on: dt.date) -> None:
    assert rules.windows_of_certificate("teacher", FROM, TO, withdrawn_on) == []


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(BadInput, match="CERTIFICATE_KIND"):
        rules.check_kind("astronaut")


def test_every_class_that_rules_give_is_registered_once() -> None:
    given_codes = {code for code, _, _ in rules.AGE_CLASSES} | {c for k in rules.CERTIFICATE_KINDS for c in k.classes}
    assert given_codes == set(classes.BY_CODE)
    assert len(classes.BY_NUMBER) == len(classes.BY_CODE) == len(classes.CLASSES)
    assert all(1 <= each.number <= 23 for each in classes.CLASSES)
    assert all(each.zh and each.en for each in classes.CLASSES)


def test_the_numbers_of_classes_never_change() -> None:
    """Codes in people's hands carry them."""
    assert classes.numbers_of(["senior_70", "pupil_6_14", "senior_70"]) == [1, 3]
    assert classes.codes_of([3, 200]) == ["senior_70"]
    numbers = [each.number for each in classes.CLASSES]
    assert numbers == list(range(1, 18))
    assert classes.BY_NUMBER[4].code == "care_free"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("张三", "张三"),
        (" 张 三 ", "张三"),
        ("欧阳小明", "欧阳小明"),
        ("买买提•艾力", "买买提·艾力"),
        ("迪丽热巴・迪力木拉提", "迪丽热巴·迪力木拉提"),
        ("王𠮷", "王𠮷"),  # plane 2
        ("李𰻝", "李𰻝"),  # plane 3
        ("朱〇", "朱〇"),
        ("smith john", "SMITH JOHN"),
        ("O'Neil Mary-Ann", "O'NEIL MARY-ANN"),
    ],
)
def test_names_are_normalised(typed: str, name: str) -> None:
    assert rules.normalise_name(typed) == name
    assert rules.normalise_name(name) == name


@pytest.mark.parametrize("typed", ["", "张", "张3", "张三!", "·张三", "张三·", "A1", "张A", "x" * 51, "\ue000\ue001"])
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(BadInput, match="NAME_FORM"):
        rules.normalise_name(typed)


@pytest.mark.parametrize(
    ("typed", "phone"),
    [("13800001234", "13800001234"), ("+86 138 0000 1234", "13800001234"), ("+852 6123-4567", "+85261234567")],
)
def test_phones_are_normalised(typed: str, phone: str) -> None:
    assert rules.normalise_phone(typed) == phone


@pytest.mark.parametrize("typed", ["", "12345678901", "1380000123", "138000012345", "+0123456", "abc"])
def test_what_is_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(BadInput, match="PHONE_FORM"):
        rules.normalise_phone(typed)


def test_masks_keep_only_what_a_clerk_needs() -> None:
    assert [rules.mask_name(name) for name in ("张明", "张小明", "欧阳小明", "王𠮷")] == [
        "张*",
        "张*明",
        "欧**明",
        "王*",
    ]
    assert rules.mask_number("320613199003071234") == "3206**********1234"
    assert rules.mask_phone("13812341234") == "138****1234"
    assert rules.mask_phone("") == ""
    assert rules.mask_phone(None) == ""
