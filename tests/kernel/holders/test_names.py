"""Initials follow how surnames read."""

import pytest

from onecard.kernel.holders.names import initials


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("张小明", "ZXM"),
        ("单雄信", "SXX"),
        ("仇英", "QY"),
        ("曾国藩", "ZGF"),
        ("解缙", "XJ"),
        ("查良镛", "ZLY"),
        ("区大海", "ODH"),
        ("任我行", "RWX"),
        ("单于小明", "CYXM"),
        ("尉迟恭", "YCG"),
        ("欧阳修", "OYX"),
        ("买买提·艾力", "MMTAL"),
        ("SMITH JOHN", "SJ"),
        ("王𠮷", "W_"),  # a character without a recorded reading
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected
