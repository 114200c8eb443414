"""What holds for people, without a database: identity numbers, class windows by age, classes by certificate, masks.

Pure.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from onecard.foundation.errors import BadInput
from onecard.kernel.holders.divisions import Division, Divisions

# --- Identity numbers (公民身份号码, GB 11643-1999)
# ---------------------------------------------------------------------

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH = dt.date(1900, 1, 1)

# 港澳台居民居住证: residence permits of Hong Kong, Macao and Taiwan residents carry a "province" of their own.
RESIDENCE_PERMITS = frozenset({"810000", "820000", "830000"})
# Area codes no place has or had (province 99 is unassigned): the mark of an invented person.
SYNTHETIC_AREA = re.compile(r"^9906(?!00)[0-9]{2}$")

# code: (zh, en, next_zh, next_en)
_ID_FAULTS: dict[str, tuple[str, str, str, str]] = {
    "ID_LENGTH": (
        "公民身份号码应为18位。",
        "An identity number has 18 characters.",
        "请核对证件，补全号码；15位旧号码请先换成18位。",
        "Compare with the document; an old number of 15 digits must be replaced by the one of 18.",
    ),
    "ID_CHARACTERS": (
        "公民身份号码的前17位应为数字，末位为数字或X。",
        "The first 17 characters of an identity number are digits; the last is a digit or X.",
        "请核对证件后重新输入。",
        "Compare with the document and type it again.",
    ),
    "ID_CHECK_DIGIT": (
        "公民身份号码的校验位不符，号码可能输错。",
        "The check digit does not fit: a character is probably mistyped.",
        "请对照证件逐位核对。",
        "Compare it with the document character by character.",
    ),
    "ID_DIVISION_UNKNOWN": (
        "公民身份号码的前6位不是任何行政区划的代码。",
        "The first six digits are not the code of any division.",
        "请核对证件；如证件无误，请报告管理员更新区划数据。",
        "Compare with the document; if it agrees, ask the administrator to update the divisions.",
    ),
    "ID_DIVISION_ABOLISHED": (
        "该区划代码在出生之前已经撤销。",
        "The division had been abolished before the birth date.",
        "请核对区划代码和出生日期。",
        "Check the first six digits and the birth date.",
    ),
    "ID_DIVISION_FUTURE": (
        "该区划代码尚未启用。",
        "The division does not exist yet.",
        "请核对区划代码和本机日期。",
        "Check the first six digits and this machine's date.",
    ),
    "ID_SYNTHETIC": (
        "这是演示用的虚构号码，本节点不接受。",
        "This is an invented number for demonstrations; this node does not accept it.",
        "请使用真实证件上的号码。",
        "Use the number on a real document.",
    ),
    "ID_BIRTH_DATE": (
        "公民身份号码中的出生日期不存在。",
        "The birth date in the number does not exist.",
        "请核对第7至14位。",
        "Check characters 7 to 14.",
    ),
    "ID_BIRTH_FUTURE": (
        "出生日期晚于今天。",
        "The birth date lies in the future.",
        "请核对第7至14位和本机日期。",
        "Check characters 7 to 14 and this machine's date.",
    ),
    "ID_BIRTH_TOO_EARLY": (
        "出生日期早于1900年。",
        "The birth date lies before 1900.",
        "请核对第7至14位。",
        "Check characters 7 to 14.",
    ),
    "ID_SEQUENCE": (
        "公民身份号码的顺序码不能为000。",
        "The sequence part of an identity number is never 000.",
        "请核对第15至17位。",
        "Check characters 15 to 17.",
    ),
}
ID_FAULT_CODES = tuple(_ID_FAULTS)


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A number that passed every check.

    `sex` is 1 male, 2 female (GB/T 2261.1); `text` is for sealing, never for logs.
    """

    text: str
    division: str
    birth_date: dt.date
    sex: int
    synthetic: bool
    residence_permit: bool


def check_character(first_17: str) -> str:
    """The last character of an identity number: ISO 7064 MOD 11-2 over the first 17 digits."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_17, strict=True))
    return CHECK_CHARACTERS[total % 11]


def normalise_number(text: str) -> str:
    """Full-width characters to plain ones, blanks and hyphens out, x to X: what people type and readers deliver."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()


def read_number(text: str, today: dt.date, divisions: Divisions, *, demo: bool = False) -> IdentityNumber:
    """Read an identity number or raise BadInput with the first fault, most likely cause first.

    `today` is the day in China, `divisions` is ``divisions.load()``; `demo` accepts the area codes of invented people.
    The check digit is asked before the parts: a mistyped digit should not be explained as an abolished county.
    """
    number = normalise_number(text)
    if fault := _shape_fault(number):
        raise _id_fault(fault)
    birth_date = _date_of(number[6:14])
    if birth_date is None:
        raise _id_fault("ID_BIRTH_DATE")
    if fault := _birth_fault(birth_date, today) or _division_fault(number[:6], birth_date, today, divisions, demo):
        raise _id_fault(fault)
    if number[14:17] == "000":
        raise _id_fault("ID_SEQUENCE")
    return IdentityNumber(
        text=number,
        division=number[:6],
        birth_date=birth_date,
        sex=1 if int(number[16]) % 2 else 2,
        synthetic=bool(SYNTHETIC_AREA.match(number[:6])),
        residence_permit=number[:6] in RESIDENCE_PERMITS,
    )


def _shape_fault(number: str) -> str | None:
    if len(number) != 18:
        return "ID_LENGTH"
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return "ID_CHARACTERS"
    if check_character(number[:17]) != number[17]:
        return "ID_CHECK_DIGIT"
    return None


def _birth_fault(birth_date: dt.date, today: dt.date) -> str | None:
    if birth_date > today:
        return "ID_BIRTH_FUTURE"
    if birth_date < EARLIEST_BIRTH:
        return "ID_BIRTH_TOO_EARLY"
    return None


def _division_fault(code: str, birth_date: dt.date, today: dt.date, divisions: Divisions, demo: bool) -> str | None:
    if SYNTHETIC_AREA.match(code):
        return None if demo else "ID_SYNTHETIC"
    division = divisions.get(code)
    if division is None or not names_a_county(code, divisions):
        return "ID_DIVISION_UNKNOWN"
    return _years_fault(division, birth_date, today)


def _years_fault(division: Division, birth_date: dt.date, today: dt.date) -> str | None:
    """A number is given once, some day between birth and today, with a code in force that day."""
    if division.from_year > today.year:
        return "ID_DIVISION_FUTURE"
    if division.to_year is not None and division.to_year < birth_date.year:
        return "ID_DIVISION_ABOLISHED"
    return None


def names_a_county(code: str, divisions: Divisions) -> bool:
    """Whether numbers carry this code: counties do, cities without counties (东莞市 441900), and residence permits."""
    if code in RESIDENCE_PERMITS:
        return True
    if not code.endswith("00"):
        return True
    return code[2:] != "0000" and not any(
        other.to_year is None and other.code[4:] not in ("00", "01")
        for other in (divisions.get(f"{code[:4]}{n:02d}") for n in range(2, 100))
        if other
    )


def _date_of(digits: str) -> dt.date | None:
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _id_fault(code: str) -> BadInput:
    zh, en, next_zh, next_en = _ID_FAULTS[code]
    return BadInput(code, zh, en, next_zh=next_zh, next_en=next_en)


# --- Names and phones -------------------------------------------------------------------------------------------------

NAME_CHARACTERS_MAX = 50
# Han characters of every plane (rare names live in planes 2 and 3), 〇, and the dot between parts of minority names.
_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAN_NAME = re.compile(rf"[{_HAN}]+(?:·[{_HAN}]+)*")
_LATIN_NAME = re.compile(r"[A-Z][A-Z'’.-]*(?: [A-Z][A-Z'’.-]*)*")
_DOTS = str.maketrans(dict.fromkeys("•‧∙・．⋅", "·"))
_PHONE = re.compile(r"1[3-9][0-9]{9}|\+[1-9][0-9]{6,14}")


def normalise_name(text: str) -> str:
    """The one spelling of a name: NFC, one kind of dot, no blanks around Han characters. Raises BadInput NAME_FORM."""
    name = " ".join(unicodedata.normalize("NFC", text).translate(_DOTS).split())
    name = name.upper() if _LATIN_NAME.fullmatch(name.upper()) else name.replace(" ", "")
    if not 2 <= len(name) <= NAME_CHARACTERS_MAX or not (_HAN_NAME.fullmatch(name) or _LATIN_NAME.fullmatch(name)):
        raise BadInput(
            "NAME_FORM",
            "姓名应为2个以上汉字（少数民族姓名可用“·”分隔），或证件上的大写拉丁字母姓名。",
            "A name has two or more Han characters (with · between the parts of a minority name), or Latin letters.",
            next_zh="请按身份证件上的写法输入，不含标点和数字。",
            next_en="Write it as on the identity document, without other marks or digits.",
        )
    return name


def normalise_phone(text: str) -> str:
    """A mainland mobile number of 11 digits, or an international one as ``+`` and digits.

    Raises BadInput PHONE_FORM.
    """
    phone = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text)).removeprefix("+86")
    if not _PHONE.fullmatch(phone):
        raise BadInput(
            "PHONE_FORM",
            "手机号码格式不正确。",
            "This is not a mobile number.",
            next_zh="请输入11位手机号码；境外号码以“+”和国家代码开头。",
            next_en="Give 11 digits, or + and the country code for a number from abroad.",
        )
    return phone


# --- Reasons ----------------------------------------------------------------------------------------------------------

REASON_CHARACTERS_MAX = 200


def check_reason(reason: str, *private: str) -> str:
    """A reason in words.

    It lands in the audit trail, so it may hold neither numbers of people nor the holder's name.
    """
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX:
        raise BadInput(
            "REASON_MISSING",
            f"请填写办理理由（不超过{REASON_CHARACTERS_MAX}字）。",
            f"Give a reason of at most {REASON_CHARACTERS_MAX} characters.",
            next_zh="用一句话说明依据，例如“户口簿记载变更”。",
            next_en="Say in one sentence what it rests on, e.g. 'household register changed'.",
        )
    if re.search(r"[0-9]{9}", reason) or any(name in reason for name in private):
        raise BadInput(
            "REASON_PERSONAL",
            "理由中不能出现姓名、证件号码或手机号码。",
            "The reason may hold no name, identity number or phone.",
            next_zh="理由会写入审计记录，请只写依据。",
            next_en="It goes to the audit trail; state only what it rests on.",
        )
    return reason


# --- Masks: what every screen shows -----------------------------------------------------------------------------------


def mask_name(name: str) -> str:
    """``张小明`` → ``张*明``, ``张明`` → ``张*``: a neighbour at the counter does not read the whole name."""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_number(number: str) -> str:
    """``3206**********1234``: region and last four, neither birth date nor sequence whole."""
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}"


def mask_phone(phone: str | None) -> str:
    """``138****1234``; nothing for no phone."""
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}" if phone else ""


# --- Classes ----------------------------------------------------------------------------------------------------------


class Window(NamedTuple):
    """A class and the days it holds: `from_day` the first, `to_day` the first no longer, None for ever."""

    code: str
    from_day: dt.date
    to_day: dt.date | None


@dataclass(frozen=True, slots=True)
class CertificateKind:
    """A kind of certificate (证照) and the classes it gives."""

    code: str
    zh: str
    en: str
    classes: tuple[str, ...]


# (class, from the birthday of this age, to the birthday of that age)
AGE_CLASSES: tuple[tuple[str, int, int | None], ...] = (
    ("pupil_6_14", 6, 15),
    ("senior_60", 60, 70),
    ("senior_70", 70, None),
)

# The care card's two kinds follow Pan'an county's table; the class of the certificate itself stands beside it, so that
# another city's terms can name it directly.
CERTIFICATE_KINDS: tuple[CertificateKind, ...] = (
    CertificateKind("disability_blind", "残疾人证（视力）", "Disability, blind", ("disabled_severe", "care_free")),
    CertificateKind(
        "disability_limb_1_2",
        "残疾人证（肢体一、二级）",
        "Disability, limb class 1 or 2",
        ("disabled_severe", "care_free"),
    ),
    CertificateKind("disability_other", "残疾人证（其他）", "Disability, other", ("disabled", "care_half")),
    CertificateKind("wounded_soldier", "残疾军人证", "Wounded soldier", ("wounded", "care_free")),
    CertificateKind("wounded_police", "伤残人民警察证", "Wounded police officer", ("wounded", "care_free")),
    CertificateKind("special_care", "优抚对象证明", "Person under special state care", ("special_care", "care_free")),
    CertificateKind("blood_donor", "无偿献血荣誉卡", "Blood donor of honour", ("blood_donor", "care_free")),
    CertificateKind("veteran", "退役军人优待证", "Retired soldier", ("veteran", "care_free")),
    CertificateKind("model_worker", "劳动模范证书", "Model worker", ("model_worker",)),
    CertificateKind("low_income", "最低生活保障证", "Minimum living allowance", ("low_income",)),
    CertificateKind("teacher", "教师资格证", "Teacher", ("teacher",)),
    CertificateKind("volunteer", "注册志愿者证", "Registered volunteer", ("volunteer",)),
    CertificateKind("student", "学生证", "Enrolled student", ("student",)),
    CertificateKind("office_staff", "工作证（机关事业单位）", "Staff of public offices", ("office_staff",)),
)
KINDS = {kind.code: kind for kind in CERTIFICATE_KINDS}


def birthday(birth_date: dt.date, age: int) -> dt.date:
    """The day a person completes `age` years: the birthday itself, as benefits by age are granted from it.

    Who was born on 29 February completes a year of 365 days with the end of 28 February (民法典 art. 202: a period
    whose last day the month lacks ends with the month), so in common years the first day after it counts: 1 March.
    """
    try:
        return birth_date.replace(year=birth_date.year + age)
    except ValueError:
        return dt.date(birth_date.year + age, 3, 1)


def windows_of_birth(birth_date: dt.date) -> list[Window]:
    """The classes a person has by age, past and to come, in order of age."""
    return [
        Window(code, birthday(birth_date, first), None if end is None else birthday(birth_date, end))
        for code, first, end in AGE_CLASSES
    ]


def windows_of_certificate(
    kind: str, valid_from: dt.date, valid_to: dt.date | None, withdrawn_on: dt.date | None = None
) -> list[Window]:
    """The classes a certificate gives. `valid_to` is its last day; from `withdrawn_on` on it gives none.

    Days before a withdrawal stay: a use of yesterday that a gate delivers today is judged by yesterday's classes.
    """
    ends = [day for day in (valid_to and valid_to + dt.timedelta(days=1), withdrawn_on) if day]
    to_day = min(ends) if ends else None
    if to_day is not None and to_day <= valid_from:
        return []
    return [Window(code, valid_from, to_day) for code in KINDS[kind].classes]


def classes_on(windows: Iterable[Window], day: dt.date) -> Iterator[str]:
    """The class codes that hold on a day; one that two sources give appears twice."""
    return (each.code for each in windows if each.from_day <= day and (each.to_day is None or day < each.to_day))


def check_kind(kind: str) -> CertificateKind:
    """The kind of certificate of this code. Raises BadInput CERTIFICATE_KIND."""
    if kind not in KINDS:
        raise BadInput(
            "CERTIFICATE_KIND",
            f"没有“{kind}”这种证照。",
            f"There is no kind of certificate called {kind}.",
            next_zh="可选：" + "、".join(KINDS),
            next_en="Choose one of " + ", ".join(KINDS) + ".",
        )
    return KINDS[kind]
