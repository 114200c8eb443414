"""The register of classes (人群类别): what a holder can count as for terms.

A number, once given, is never given again: codes in people's hands carry it. Numbers up to 23 take one byte in CBOR and
belong to the classes an offline gate meets most.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class HolderClass:
    code: str
    number: int
    zh: str
    en: str


CLASSES: tuple[HolderClass, ...] = (
    HolderClass("pupil_6_14", 1, "6至14周岁学生", "Pupil aged 6 to 14"),
    HolderClass("senior_60", 2, "60至69周岁老人", "Senior aged 60 to 69"),
    HolderClass("senior_70", 3, "70周岁及以上老人", "Senior aged 70 and over"),
    HolderClass("care_free", 4, "爱心卡（免费）", "Care card, free"),
    HolderClass("care_half", 5, "爱心卡（半价）", "Care card, half price"),
    HolderClass("disabled_severe", 6, "盲人及一、二级肢体残疾人", "Blind, or limb disability of class 1 or 2"),
    HolderClass("disabled", 7, "其他残疾人", "Other disabled person"),
    HolderClass("veteran", 8, "退役军人", "Retired soldier"),
    HolderClass("wounded", 9, "伤残军人、伤残人民警察", "Wounded soldier or police officer"),
    HolderClass("special_care", 10, "优抚对象", "Person under special state care"),
    HolderClass("blood_donor", 11, "无偿献血荣誉奖获得者", "Blood donor of honour"),
    HolderClass("model_worker", 12, "劳动模范", "Model worker"),
    HolderClass("low_income", 13, "最低生活保障对象", "Recipient of the minimum living allowance"),
    HolderClass("teacher", 14, "教师", "Teacher"),
    HolderClass("volunteer", 15, "注册志愿者", "Registered volunteer"),
    HolderClass("student", 16, "在校学生", "Enrolled student"),
    HolderClass("office_staff", 17, "机关事业单位职工", "Staff of public offices"),
)

BY_CODE = {each.code: each for each in CLASSES}
BY_NUMBER = {each.number: each for each in CLASSES}


def numbers_of(codes: Iterable[str]) -> list[int]:
    """The numbers of known classes, ascending and each once: what a QR code carries.

    Raises KeyError for an unknown code.
    """
    return sorted({BY_CODE[code].number for code in codes})


def codes_of(numbers: Iterable[int]) -> list[str]:
    """The class codes of numbers read from a QR code. Unknown ones are passed over: another node may be newer."""
    return [BY_NUMBER[number].code for number in numbers if number in BY_NUMBER]
