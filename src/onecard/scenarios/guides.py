"""What a list says of one item (办事指南), in words: what it is and for whom, its terms, who pays less, on what law.

Residents read it of what is published, officers of a draft, too, before anybody else does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onecard.foundation.web.jinja import words as in_language
from onecard.kernel.catalogue import queries, words
from onecard.kernel.catalogue.models import Item, LegalBasis, State
from onecard.kernel.catalogue.words import Words
from onecard.kernel.holders import divisions
from onecard.scenarios.terms import ConcessionRow, Line, concessions, lines
from onecard_kit import terms
from onecard_kit.terms import Bilingual, Level


@dataclass(frozen=True)
class Relative:
    """An item that this one extends, or that extends this one: its code, name and place."""

    code: str
    name: Words
    place: Words


@dataclass(frozen=True)
class Guide:
    """An item as one version says it."""

    name: Words
    tags: list[tuple[str, str]]
    excluded: Words | None
    facts: list[tuple[str, list[Words]]]
    extends: list[Relative]
    extended_by: list[Relative]
    steps: list[Words]
    guide: Words | None
    terms: list[Line]
    concessions: list[ConcessionRow]
    bases: list[LegalBasis]


def of(row: Item, item: terms.Item) -> Guide:
    """What a declaration of an item says."""
    return Guide(
        name=both(item.name),
        tags=_tags(row, item),
        excluded=_excluded(item),
        facts=[(label, told) for label, told in _facts(item) if told],
        extends=_relatives([row.extends] if row.extends else []),
        extended_by=_relatives(queries.extended_by(row.code)),
        steps=[both(each) for each in item.steps],
        guide=both(item.guide) if item.guide else None,
        terms=lines(item),
        concessions=concessions(item),
        bases=queries.legal_bases(item.legal_basis),
    )


def _tags(row: Item, item: terms.Item) -> list[tuple[str, str]]:
    tags = [
        (in_language(words.field(row.field)), "info"),
        (in_language(words.LEVELS[Level(row.level)]), ""),
        (in_language(words.KINDS[item.kind]), ""),
    ]
    if row.state == State.SUSPENDED:
        tags.append((_("暂停"), "warn"))
    if item.pilot_areas:
        tags.append((_("试点"), "teal"))
    return tags


def _excluded(item: terms.Item) -> Words | None:
    return {"zh": item.excluded.zh, "en": item.excluded.en} if item.excluded else None


def _facts(item: terms.Item) -> Iterator[tuple[str, list[Words]]]:
    """What the guide says line by line; a line without words is left out."""
    yield _("谁可以用"), _some(item.audience)
    yield _("办理渠道"), [words.CHANNELS[channel] for channel in item.channels]
    yield _("要带什么"), [*([] if item.excluded else words.shown(item)), *map(both, item.materials)]
    yield _("条件"), [both(each) for each in item.conditions]
    yield _("时限"), _some(item.time_limit)
    yield _("什么时候会用到"), [words.LIFE_EVENTS[event] for event in item.life_events]
    yield _("适用地区"), [_area(item.level, item.area)]
    yield _("试点地区"), [{"zh": divisions.name_of(area), "en": ""} for area in item.pilot_areas]
    yield _("主管部门"), _some(item.lead_unit)
    yield _("配合单位"), [both(each) for each in item.supporting_units]


def _area(level: Level, area: str) -> Words:
    """Whose list it is on: the region's set of places, else the division."""
    if level is Level.REGION:
        return queries.area_set_names([area]).get(area, {"zh": area, "en": ""})
    return {"zh": divisions.name_of(area), "en": ""}


def _relatives(items: list[Item]) -> list[Relative]:
    names = queries.names_of([each.code for each in items])
    return [Relative(each.code, names[each.code], _area(Level(each.level), each.area)) for each in items]


def _some(told: Bilingual | None) -> list[Words]:
    return [both(told)] if told else []


def both(told: Bilingual) -> Words:
    """Words of a declaration, as templates take them."""
    return {"zh": told.zh, "en": told.en}
