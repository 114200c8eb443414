"""Who did something, in words: an officer by name, the holder, a client's system, a process of ours."""

from collections.abc import Iterable

from onecard.kernel.staff.models import Officer

Words = dict[str, str]

_KINDS: dict[str, Words] = {
    "holder": {"zh": "持卡人本人", "en": "The holder"},
    "system": {"zh": "系统", "en": "The system"},
    "terminal": {"zh": "终端", "en": "Terminal"},
    "client": {"zh": "接入系统", "en": "Client"},
}


def names_of(actors: Iterable[str]) -> dict[str, Words]:
    """Names of actors (``staff:7``) by themselves, in one query; of an officer the Chinese one only."""
    wanted = set(actors)
    ids = [int(each[6:]) for each in wanted if each.startswith("staff:") and each[6:].isdecimal()]
    officers = {f"staff:{each.pk}": {"zh": each.display_name, "en": ""} for each in Officer.objects.filter(pk__in=ids)}
    return {each: officers.get(each) or _kind(each) for each in wanted}


def _kind(actor: str) -> Words:
    kind, _colon, key = actor.partition(":")
    named = _KINDS.get(kind)
    if named is None:
        return {"zh": actor, "en": actor}
    return named if kind in ("holder", "system") else {"zh": f"{named['zh']} {key}", "en": f"{named['en']} {key}"}
