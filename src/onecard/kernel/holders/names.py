"""Pinyin initials of names, by which clerks search: ``单小明`` is SXM, because Shan is how the surname reads."""

from functools import lru_cache

from pypinyin import Style, pinyin

# Only where a surname reads otherwise than its characters alone: pypinyin knows the rest.
SURNAME_INITIALS = {
    "单": "S", "仇": "Q", "曾": "Z", "解": "X", "查": "Z", "区": "O", "翟": "Z", "繁": "P", "乐": "Y", "召": "S",
    "折": "S", "种": "C", "秘": "B", "覃": "Q", "郇": "X", "祭": "Z", "句": "G", "阚": "K", "隗": "W", "重": "C",
}  # fmt: skip
COMPOUND_SURNAME_INITIALS = {"单于": "CY", "尉迟": "YC", "万俟": "MQ", "澹台": "TT"}
UNREAD = "_"


def initials(name: str) -> str:
    """The initials of a normalised name, upper case; ``_`` for a character nobody gave a reading, e.g. some of plane 3.

    Latin names give the first letter of each word; the dot of minority names gives nothing.
    """
    if name.isascii():
        return "".join(word[0] for word in name.upper().split())
    surname = COMPOUND_SURNAME_INITIALS.get(name[:2]) or SURNAME_INITIALS.get(name[0]) or _initial(name[0])
    return surname + "".join(_initial(character) for character in name[len(surname) :] if character != "·")


@lru_cache(maxsize=65536)
def _initial(character: str) -> str:
    """One character read alone: a phrase could read it otherwise, but a search must not depend on its neighbours."""
    letter = pinyin(character, style=Style.FIRST_LETTER, errors=lambda _: UNREAD)[0][0][:1].upper()
    return letter if "A" <= letter <= "Z" else UNREAD
