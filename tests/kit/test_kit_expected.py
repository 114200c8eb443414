"""What is said in Chinese of data that a type does not take."""

import datetime as dt

import msgspec
import pytest
from msgspec import ValidationError

from onecard_kit.expected import of_message


class Line(msgspec.Struct, forbid_unknown_fields=True):
    date: dt.date


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "缺少 date"),
        ({"date": "2026-01-31", "time": 1}, "没有 time 这一项"),
        ({"date": "x"}, "应为日期，如 2026-01-31"),
        ([], "应为表，现为数组"),
    ],
)
def test_a_key_keeps_its_name_and_a_type_is_put_into_words(data: object, told: str) -> None:
    with pytest.raises(ValidationError) as found:
        msgspec.convert(data, Line)
    assert of_message(str(found.value).partition(" - at ")[0]).zh == told
