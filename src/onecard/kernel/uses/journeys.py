"""The verb that ends what nobody ended: a journey past its time costs the most it can, as its item states."""

import json
import logging
from uuid import UUID

from django.db import transaction

from onecard.foundation import sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.uses.decide.further import end_by_itself
from onecard.kernel.uses.lines import Charge
from onecard.kernel.uses.load.facts import Journey
from onecard.kernel.uses.settle import Accounts, in_order, require_posted, transfers_of
from onecard_kit import item_files
from onecard_kit.terms import BORNE_BY_PLATFORM

log = logging.getLogger(__name__)

HERE, RECORD = "onecard.kernel.uses", "onecard.kernel.uses.record"
AT_ONCE = 200


class JourneysStuck(Exception):
    """Some journeys could not be ended, the others were; the log says why."""


def end_due(at_once: int = AT_ONCE) -> int:
    """End all journeys past their time, each in its own transaction; how many. They are looked for `at_once` at a time.

    One that is ended at a gate meanwhile is left alone: the lock on its card decides who comes first. One that cannot
    be ended (an account is missing) holds up no other. Raises JourneysStuck when all were tried.
    """
    ended = stuck = 0
    latest: tuple[object, ...] = ("-infinity", UUID(int=0))
    while due := rows(sql.load(HERE, "due_journeys"), *latest, at_once):
        for ends_by, id_, card_id in due:
            latest = (ends_by, id_)
            try:
                ended += _end(id_, card_id)
            except Exception:
                log.exception("journey %s could not be ended", id_)
                stuck += 1
    if stuck:
        raise JourneysStuck(f"{stuck} journeys could not be ended")
    return ended


@transaction.atomic
def _end(id_: UUID, card_id: int) -> bool:
    """Whether it was still open."""
    [(holder_id,)] = rows("SELECT holder_id FROM cards_standing WHERE card_id = $1 FOR NO KEY UPDATE", card_id)
    found = rows(sql.load(HERE, "open_journey"), id_)
    if not found:
        return False
    [(*columns, declaration, treasury)] = found
    journey = Journey(*columns)
    item = item_files.from_plain(json.loads(declaration), f"item version {journey.item_version_id}")
    charge = end_by_itself(journey, item, holder_id)
    accounts = _accounts({treasury or "", journey.operator, journey.sponsor or ""}, charge)
    transfers = transfers_of(charge, treasury or "", accounts)
    if transfers:
        require_posted(rows(sql.load(RECORD, "post_in_order"), *in_order(transfers)))
    rows("UPDATE uses_journey SET ended_at = now(), shortfall_fen = $2 WHERE id = $1", id_, charge.shortfall_fen)
    return True


def _accounts(owners: set[str], charge: Charge) -> Accounts:
    accounts = Accounts()
    if charge.debtor is not None:
        rows("SELECT uses_open_debts(ARRAY[$1::bigint])", charge.debtor)
        owners |= {f"holder:{charge.debtor}"}
    if charge.shortfall_fen and charge.borne_by == BORNE_BY_PLATFORM:
        accounts.platform = next((owner for (owner,) in rows(sql.load(HERE, "platform"))), None)
        owners |= {accounts.platform or ""}
    found = rows("SELECT owner, role, ledger, id FROM ledger_account WHERE owner = ANY ($1::text[])", sorted(owners))
    accounts.learn(sorted(owners), found)
    return accounts
