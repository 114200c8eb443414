"""The verb that ends what nobody ended: a journey past its time costs the most it can, as its item states."""

import json
from uuid import UUID

from django.db import transaction

from onecard.foundation import sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.uses.decide.further import end_by_itself
from onecard.kernel.uses.lines import Transfer
from onecard.kernel.uses.load.facts import Journey
from onecard.kernel.uses.settle import Accounts, transfers_of
from onecard_kit import item_files

HERE, RECORD = "onecard.kernel.uses", "onecard.kernel.uses.record"
AT_ONCE = 200


class LedgerDisagreed(Exception):
    """The ledger refused what was held for it: a fault of ours."""


def end_due(limit: int = AT_ONCE) -> int:
    """End journeys past their time, each in its own transaction; how many were found.

    One that is ended at a gate meanwhile is left alone: the lock on its card decides who comes first.
    """
    due = rows(sql.load(HERE, "due_journeys"), limit)
    for id_, card_id in due:
        _end(id_, card_id)
    return len(due)


@transaction.atomic
def _end(id_: UUID, card_id: int) -> None:
    rows("SELECT card_id FROM cards_standing WHERE card_id = $1 FOR NO KEY UPDATE", card_id)
    found = rows(sql.load(HERE, "open_journey"), id_)
    if not found:
        return
    [(*columns, declaration, treasury)] = found
    journey = Journey(*columns)
    item = item_files.from_plain(json.loads(declaration), f"item version {journey.item_version_id}")
    charge = end_by_itself(journey, item)
    _post(transfers_of(charge, treasury or "", _accounts({treasury or "", journey.operator, journey.sponsor or ""})))
    rows("UPDATE uses_journey SET ended_at = now() WHERE id = $1", id_)


def _accounts(owners: set[str]) -> Accounts:
    accounts = Accounts()
    found = rows("SELECT owner, role, ledger, id FROM ledger_account WHERE owner = ANY ($1::text[])", sorted(owners))
    accounts.learn(sorted(owners), found)
    return accounts


def _post(transfers: list[Transfer]) -> None:
    columns = zip(
        *((t.id, t.debit, t.credit, t.amount_fen, t.kind, t.code, t.pending, t.reference) for t in transfers),
        strict=True,
    )
    refused = rows(sql.load(RECORD, "post_in_order"), *map(list, columns)) if transfers else []
    if refused:
        raise LedgerDisagreed(", ".join(sorted({outcome for _, outcome in refused})))
