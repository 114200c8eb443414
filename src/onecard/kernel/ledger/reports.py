"""Reads of the ledger for officers: accounts of some owners, and concessions of a period. Amounts in whole fen."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from onecard.foundation import node, sql
from onecard.foundation.actors import Actor
from onecard.foundation.clock import CHINA
from onecard.foundation.errors import NotFound
from onecard.foundation.ids import uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.ledger.actions import HERE
from onecard.kernel.ledger.models import Account

PAGE = 50


class Given(NamedTuple):
    """What one funder's account gave to another account in a period, and what came back by refunds. `payee`: None for
    all holders together, who may be a million.
    """

    funder: int
    payee: int | None
    uses: int
    fen: int
    back_uses: int
    back_fen: int

    @property
    def net_fen(self) -> int:
        return self.fen - self.back_fen


def require_read(actor: Actor) -> None:
    """The books are the node's as a whole. Raises NotPermitted."""
    actor.require("ledger.read", node.code())


def accounts_of(
    owners: Sequence[str], *, ledger: str = "", role: str = "", after: int = 0, limit: int = PAGE
) -> list[Account]:
    """Accounts of some owners (``party:3``), oldest first, after an id."""
    found = Account.objects.filter(owner__in=owners, pk__gt=after)
    if ledger:
        found = found.filter(ledger=ledger)
    if role:
        found = found.filter(role=role)
    return list(found.order_by("pk")[:limit])


def account(account_id: int) -> Account:
    """An account. Raises NotFound ACCOUNT_UNKNOWN."""
    found = Account.objects.filter(pk=account_id).first()
    if found is None:
        raise NotFound("ACCOUNT_UNKNOWN", "没有这个账户。", "There is no such account.")
    return found


def concessions(funders: Sequence[int], first: dt.date, last: dt.date) -> list[Given]:
    """What some accounts gave as concessions from the beginning of a day in China to the end of another."""
    begin, end = (
        uuid7_floor(dt.datetime.combine(day, dt.time(), CHINA)) for day in (first, last + dt.timedelta(days=1))
    )
    return [Given(*row) for row in rows(sql.load(HERE, "concessions"), list(funders), begin, end)]
