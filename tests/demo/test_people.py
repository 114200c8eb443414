"""The invented people: the same each time, valid, unique, believable, and nobody's."""

import datetime as dt
from collections import Counter

import pytest

from onecard.demo import people
from onecard.demo.people import Person
from onecard.foundation.errors import BadInput
from onecard.foundation.keys import Key, Keyring
from onecard.kernel.holders import divisions, loading, rules

TODAY = dt.date(2026, 11, 20)
N = 20_000
CITY = list(people.people(N, 7, TODAY))
RING = Keyring("identity", (Key(1, b"\x01" * 32),))


def age(person: Person) -> int:
    years = TODAY.year - person.birth_date.year
    return years - (rules.birthday(person.birth_date, years) > TODAY)


def share(test: list[bool]) -> float:
    return sum(test) / len(test)


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert list(people.people(500, 7, TODAY)) == CITY[:500]
    assert list(people.people(500, 8, TODAY)) != CITY[:500]


def test_every_number_is_valid_on_a_demo_node_and_nowhere_else() -> None:
    table = divisions.load()
    for person in CITY[:2_000]:
        read = rules.read_number(person.number, TODAY, table, demo=True)
        assert (read.birth_date, read.sex, read.synthetic) == (person.birth_date, person.sex, person.synthetic)
    with pytest.raises(BadInput, match="ID_SYNTHETIC"):
        rules.read_number(CITY[0].number, TODAY, table)


def test_numbers_and_phones_are_nobody_elses() -> None:
    assert len({person.number for person in CITY}) == N
    phones = [person.phone for person in CITY if person.phone]
    assert len(set(phones)) == len(phones)
    assert all(phone.startswith("154") and rules.normalise_phone(phone) == phone for phone in phones)
    numbers = [each.number for person in CITY for each in person.certificates]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("SYN") for number in numbers)


def test_rules_take_every_name_as_it_is() -> None:
    assert all(rules.normalise_name(person.name) == person.name for person in CITY)


def test_names_have_believable_lengths() -> None:
    lengths = Counter(len(person.name) for person in CITY)
    assert set(lengths) == {2, 3, 4}
    assert 0.70 < lengths[3] / N < 0.88
    assert 0.12 < lengths[2] / N < 0.28
    assert 0.002 < lengths[4] / N < 0.02
    rare = [character for person in CITY for character in person.name if ord(character) > 0xFFFF]
    assert 0.001 < len(rare) / N < 0.006
    assert {ord(character) >> 16 for character in rare} == {2, 3}


def test_the_city_is_as_old_as_nantong() -> None:
    assert 0.28 < share([age(person) >= 60 for person in CITY]) < 0.34
    assert 0.09 < share([age(person) < 15 for person in CITY]) < 0.13
    assert all(person.birth_date <= TODAY and age(person) <= 100 for person in CITY)
    assert 0.47 < share([person.sex == 1 for person in CITY]) < 0.52
    assert share([person.sex == 1 for person in CITY if age(person) >= 85]) < 0.45


def test_everybody_lives_in_a_county_of_today() -> None:
    table = divisions.load()
    assert {county for _, county, _, _ in people.COUNTIES} == {person.place for person in CITY}
    for _, county, name, _ in people.COUNTIES:
        assert (table[county].name, table[county].to_year) == (name, None)
    assert all("南通市" in person.address for person in CITY)


def test_certificates_come_in_realistic_shares_and_kinds() -> None:
    held = Counter(each.kind for person in CITY for each in person.certificates)
    assert set(held) <= set(rules.KINDS)
    assert {each.kind for each in people.SHARES} == set(rules.KINDS)
    disabled = sum(count for kind, count in held.items() if kind.startswith("disability"))
    assert 0.02 < disabled / N < 0.04
    assert 0.015 < held["veteran"] / N < 0.035
    assert 0.05 < held["volunteer"] / N < 0.10
    for person in CITY:
        kinds = [each.kind for each in person.certificates]
        assert len(set(kinds)) == len(kinds)
        for each in person.certificates:
            assert person.birth_date <= each.valid_from <= TODAY
            assert each.valid_to is None or each.valid_to >= each.valid_from


def test_some_certificates_have_run_out() -> None:
    ends = [each.valid_to for person in CITY for each in person.certificates if each.valid_to]
    assert 0.005 < share([end < TODAY for end in ends]) < 0.06


def test_a_person_becomes_rows_to_load() -> None:
    person = next(each for each in CITY if each.certificates and each.phone)
    row = dict(zip(loading.HOLDER_COLUMNS, loading.holder_row(RING, 5, person), strict=True))
    assert loading.open_field(RING, "number", 5, row["number_sealed"]) == person.number
    assert loading.open_field(RING, "name", 5, row["name_sealed"]) == person.name
    assert (row["id"], row["place"], row["life"], row["synthetic"]) == (5, person.place, "alive", True)
    certificate = person.certificates[0]
    loaded = dict(zip(loading.CERTIFICATE_COLUMNS, loading.certificate_row(RING, 9, 5, certificate), strict=True))
    assert (loaded["id"], loaded["holder_id"], loaded["kind"]) == (9, 5, certificate.kind)
    assert certificate.number.encode() not in loaded["number_sealed"]
    rows = list(loading.class_rows(5, person.birth_date, [(9, certificate)]))
    assert all(len(each) == len(loading.CLASS_COLUMNS) for each in rows)
    assert {each[4] for each in rows} == {"birth", "certificate:9"}


def test_a_full_day_of_a_county_is_refused_rather_than_repeated() -> None:
    give = people._numbers()
    day = dt.date(1990, 1, 1)
    assert len({give(0, day, 1) for _ in range(500)}) == 500
    with pytest.raises(ValueError, match="is full"):
        give(0, day, 1)
