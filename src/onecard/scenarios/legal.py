"""View values of the register of legal bases (法规依据): each text, its articles, and the items that point to them."""

import re
from dataclasses import dataclass
from typing import Any

from onecard.foundation import clock
from onecard.kernel.catalogue import queries
from onecard.kernel.catalogue.models import LegalBasis
from onecard.kernel.catalogue.words import Words

PAGE = 20


@dataclass(frozen=True)
class Register:
    """A page of the texts, by code; `after` is the last code where more follow."""

    texts: list[LegalBasis]
    after: str


@dataclass(frozen=True)
class ItemLink:
    """An item that points to a text or an article."""

    code: str
    name: Words


@dataclass(frozen=True)
class ArticleRow:
    """An article, or the text as a whole, with the items that point to it."""

    basis: LegalBasis
    items: list[ItemLink]


@dataclass(frozen=True)
class TextPage:
    """A text: what it is, then its articles in their order."""

    whole: ArticleRow
    articles: list[ArticleRow]


def register(after: str) -> Register:
    """A page of the register."""
    rows = queries.legal_texts(after=after, limit=PAGE + 1)
    return Register(rows[:PAGE], rows[PAGE - 1].code if len(rows) > PAGE else "")


def text(code: str) -> TextPage:
    """A text with its articles and the items in force that point to each. Raises NotFound LEGAL_BASIS_UNKNOWN."""
    whole, articles = queries.legal_text(code)
    pointing: dict[str, list[ItemLink]] = {}
    for item, name, bases in queries.bases_in_force(clock.today()):
        for basis in bases:
            pointing.setdefault(basis, []).append(ItemLink(item, name))
    rows = [ArticleRow(each, pointing.get(each.code, [])) for each in sorted(articles, key=_in_order)]
    return TextPage(ArticleRow(whole, pointing.get(whole.code, [])), rows)


def _in_order(article: LegalBasis) -> list[tuple[int, str]]:
    """Article 9 before article 10, and 3.1.1 before 3.2."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"[.-]", article.article)]


def plain(row: LegalBasis) -> dict[str, Any]:
    """A legal basis as plain values."""
    return {
        "code": row.code,
        "issuer": {"zh": row.issuer_zh, "en": row.issuer_en},
        "title": {"zh": row.title_zh, "en": row.title_en},
        "article": row.article or None,
        "text": {"zh": row.text_zh, "en": row.text_en} if row.article else None,
        "effective_on": row.effective_on.isoformat() if row.effective_on else None,
        "repeals": row.repeals or None,
    }
