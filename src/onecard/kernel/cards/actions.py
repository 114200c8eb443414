"""Verbs of a card, one transaction each: lock the card, decide by `rules`, save, record the fact, refresh the standing.

A verb whose result stands already returns the card and leaves no second fact, so repeating a request is safe. A blocked
move raises Conflict with the code and sentences of `rules`. The holder may report a loss and lift it; every other verb
takes a permission ``cards.<verb>`` that reaches the card's issuing place.
"""

import re
import secrets
from collections.abc import Sequence
from typing import Any, Literal

from django.db import transaction

from onecard.foundation import clock, crypto, jobs, keys, sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards import rules
from onecard.kernel.cards.models import Account, Card, CardFunction, Standing
from onecard.kernel.cards.rules import Blocked, CardFacts, CardState, CardVerb, FunctionState, FunctionVerb
from onecard.kernel.holders.models import Holder
from onecard.kernel.partners.models import Party, PartyKind, PartyState
from onecard_kit.terms import Function

# Ten years is what the sample cities print (e.g. Wenzhou); a city passes its own.
VALID_YEARS = 10
# What a purse may hold; a sample, a city passes its own.
PURSE_CEILING_FEN = 100_000
STANDING_BATCH = 5_000


@transaction.atomic
def issue(
    actor: Actor, holder_id: int, *, place: str, bank: str, generation: int = 3, valid_years: int = VALID_YEARS
) -> Card:
    """Issue a completed, inactive card of `place` to an alive holder; `bank` is the code of an active bank.

    Raises NotFound HOLDER_UNKNOWN or BANK_UNKNOWN, Conflict HOLDER_DECEASED, or CARD_LIVE while the holder has a
    card of this place that is not cancelled: to replace one, cancel it first.
    """
    actor.require("cards.issue", place)
    if generation not in (2, 3):
        raise BadInput("GENERATION_UNKNOWN", "只支持第二代和第三代社会保障卡。", "A card is of generation 2 or 3.")
    holder = _holder_alive(holder_id)
    party = _bank(bank)
    _no_live_card(holder, place)
    today = clock.today()
    card = Card.objects.create(
        number=rules.card_number(rows("SELECT nextval('cards_number_seq')")[0][0]),
        identifier=place + secrets.token_hex(13).upper(),
        holder=holder,
        issuing_place=place,
        bank=party,
        generation=generation,
        state=CardState.INACTIVE.value,
        issued_on=today,
        valid_to=rules.last_valid_day(today, valid_years),
    )
    CardFunction.objects.bulk_create(
        CardFunction(card=card, function=function.value, state=FunctionState.INACTIVE.value) for function in Function
    )
    card.refresh_from_db()
    _record(actor, "issue", card, detail={"holder": holder.pk, "generation": generation, "bank": bank})
    refresh_standing([card.pk])
    _reach_purse(holder.pk)
    return card


@transaction.atomic
def complete(actor: Actor, card_id: int) -> Card:
    """The card was made: it goes from allocated to inactive (制卡完成)."""
    card = _locked(card_id)
    actor.require("cards.complete", card.issuing_place)
    return _move(actor, "complete", card, CardVerb.COMPLETE)


@transaction.atomic
def activate_function(actor: Actor, card_id: int, function: Function, *, account_token: str | None = None) -> Card:
    """Activate a function, or resume a suspended one. The first activation of social security activates the card.

    The bank's part and transit are activated on their own (卡的两次激活). With the financial function comes
    `account_token`, by which the card's bank knows the account that is linked with the card; a later one takes its
    place. Raises BadInput ACCOUNT_TOKEN_INVALID, Conflict ACCOUNT_LINKED.
    """
    if account_token is not None:
        _require_token(function, account_token)
    card = _locked(card_id)
    actor.require("cards.activate_function", card.issuing_place)
    moved = _move_function(actor, "activate_function", card, function, FunctionVerb.ACTIVATE)
    if account_token is not None:
        _link_account(actor, card, account_token)
    if not moved:
        return card
    if function is Function.SOCIAL_SECURITY and card.state == CardState.INACTIVE:
        return _move(actor, "activate", card, CardVerb.ACTIVATE)
    refresh_standing([card.pk])
    return card


@transaction.atomic
def suspend_function(actor: Actor, card_id: int, function: Function, *, reason: str) -> Card:
    """Suspend an active function; activating it again resumes it."""
    card = _locked(card_id)
    actor.require("cards.suspend_function", card.issuing_place)
    if _move_function(actor, "suspend_function", card, function, FunctionVerb.SUSPEND, reason=reason):
        refresh_standing([card.pk])
    return card


@transaction.atomic
def close_function(actor: Actor, card_id: int, function: Function, *, reason: str) -> Card:
    """Close a function for good."""
    card = _locked(card_id)
    actor.require("cards.close_function", card.issuing_place)
    if _move_function(actor, "close_function", card, function, FunctionVerb.CLOSE, reason=reason):
        if function is Function.FINANCIAL:
            Account.objects.filter(pk=card.pk).delete()
        refresh_standing([card.pk])
    return card


@transaction.atomic
def report_lost(actor: Actor, card_id: int, kind: Literal["temporary", "formal"], *, reason: str = "") -> Card:
    """Report a card lost, temporarily (口头挂失, can be lifted) or formally (书面挂失, leads to replacement).

    The holder may do it themselves. A temporary report on a formally lost card is blocked.
    """
    verbs = {"temporary": CardVerb.REPORT_TEMP_LOST, "formal": CardVerb.REPORT_LOST}
    if kind not in verbs:
        raise BadInput("LOSS_KIND_UNKNOWN", "挂失方式应为临时或正式。", "A loss is temporary or formal.")
    card = _locked(card_id)
    _require_holder_or(actor, "cards.report_lost", card)
    return _move(actor, "report_lost", card, verbs[kind], reason=reason, detail={"kind": kind})


@transaction.atomic
def unreport(actor: Actor, card_id: int) -> Card:
    """Lift a temporary loss (解挂): the card returns to the state it had before. The holder may do it themselves."""
    card = _locked(card_id)
    _require_holder_or(actor, "cards.unreport", card)
    return _move(actor, "unreport", card, CardVerb.UNREPORT)


@transaction.atomic
def lock(actor: Actor, card_id: int, *, reason: str) -> Card:
    """Lock a card (锁定), e.g. because its holder died. It can only be cancelled afterwards."""
    card = _locked(card_id)
    actor.require("cards.lock", card.issuing_place)
    return _move(actor, "lock", card, CardVerb.LOCK, reason=reason)


@transaction.atomic
def cancel(actor: Actor, card_id: int, *, approved_by: Actor, reason: str) -> Card:
    """Cancel a card (注销) and close its functions. It takes two people; both and the reason are kept in the fact.

    Raises NotPermitted MAKER_IS_CHECKER.
    """
    if not reason.strip():
        raise BadInput(
            "REASON_MISSING",
            "注销社会保障卡须填写原因。",
            "Cancelling a card takes a reason.",
            next_zh="请填写注销原因后重试。",
            next_en="Give the reason and try again.",
        )
    card = _locked(card_id)
    actor.require_two("cards.cancel", card.issuing_place, approved_by)
    if card.state not in rules.GONE:
        CardFunction.objects.filter(card=card).exclude(state=FunctionState.CLOSED.value).update(
            state=FunctionState.CLOSED.value, changed_at=clock.now()
        )
        Account.objects.filter(pk=card.pk).delete()
    return _move(actor, "cancel", card, CardVerb.CANCEL, reason=reason, detail={"approved_by": approved_by.name})


@transaction.atomic
def open_purse(actor: Actor, holder_id: int, *, ceiling_fen: int = PURSE_CEILING_FEN) -> int:
    """Open the holder's purse (开通钱包) and let their cards reach it; the id of its ledger account.

    The purse that is open already is returned with the ceiling it has; cards that did not reach it yet, e.g. one issued
    meanwhile, do from now. The holder may do it themselves. Raises NotFound CARD_UNKNOWN for a holder without a card,
    Conflict CARD_CANCELLED where all are cancelled.
    """
    cards = list(Card.objects.select_for_update(no_key=True).filter(holder_id=holder_id).order_by("id"))
    live = [card for card in cards if card.state not in rules.GONE]
    _require_holder_or(actor, "cards.open_purse", _any_card(live, cards))
    known = _purse_of(holder_id)
    if known is not None:
        _reach_purse(holder_id)
        return known
    account: int = rows(
        "SELECT ledger_open(ARRAY[$1], 'holder.purse', 'purse', true, $2::bigint)", f"holder:{holder_id}", ceiling_fen
    )[0][0]
    Standing.objects.filter(holder_id=holder_id).update(purse_account_id=account, updated_at=clock.now())
    _record(actor, "open_purse", live[0], detail={"holder": holder_id, "account": account})
    return account


def refresh_standing(card_ids: Sequence[int]) -> None:
    """Write the standing of cards anew from card, functions and classes, in the caller's transaction.

    The caller holds the card rows' locks, or loads a city nobody uses yet. Any number of ids.
    """
    ring = keys.load("cards")
    for start in range(0, len(card_ids), STANDING_BATCH):
        numbers = rows(
            "SELECT id, number FROM cards_card WHERE id = ANY($1::bigint[])",
            list(card_ids[start : start + STANDING_BATCH]),
        )
        indexes = [crypto.blind_index(ring, "card_number", number) for _, number in numbers]
        rows(sql.load("onecard.kernel.cards", "refresh_standing"), [card_id for card_id, _ in numbers], indexes)


@transaction.atomic
def follow_holder(actor: Actor, holder_id: int) -> None:
    """Bring a holder's cards after a change of the holder: classes into the standing, a death into locked cards."""
    cards = list(Card.objects.select_for_update(no_key=True).filter(holder_id=holder_id).order_by("id"))
    deceased = Holder.objects.filter(pk=holder_id, life="deceased").exists()
    for card in cards:
        if deceased and not isinstance(rules.move_of(facts_of(card), CardVerb.LOCK), Blocked):
            _move(actor, "lock", card, CardVerb.LOCK, reason="holder deceased")
    refresh_standing([card.pk for card in cards])


def facts_of(card: Card) -> CardFacts:
    """What the rules need of a card, as it stands today in China."""
    return CardFacts(
        CardState(card.state),
        CardState(card.state_before_loss) if card.state_before_loss else None,
        expired=card.valid_to < clock.today(),
    )


def refuse(blocked: Blocked) -> Conflict:
    """The error that says a blocked move."""
    return Conflict(blocked.code, blocked.zh, blocked.en, next_zh=blocked.next_zh, next_en=blocked.next_en)


def _locked(card_id: int) -> Card:
    """The card, locked against every other verb; foreign keys to it stay usable."""
    card = Card.objects.select_for_update(no_key=True).filter(pk=card_id).first()
    if card is None:
        raise _unknown_card()
    return card


def _unknown_card() -> NotFound:
    return NotFound(
        "CARD_UNKNOWN", "没有这张卡。", "There is no such card.", next_zh="请核对卡号。", next_en="Check the number."
    )


def _any_card(live: list[Card], cards: list[Card]) -> Card:
    if live:
        return live[0]
    if cards:
        raise refuse(rules.CANCELLED)
    raise _unknown_card()


def _purse_of(holder_id: int) -> int | None:
    reaching = Standing.objects.filter(holder_id=holder_id, purse_account_id__isnull=False).first()
    return reaching.purse_account_id if reaching else None


def _reach_purse(holder_id: int) -> None:
    """Let every card of a holder reach the purse that one of them reaches."""
    account = _purse_of(holder_id)
    if account is not None:
        Standing.objects.filter(holder_id=holder_id, purse_account_id=None).update(
            purse_account_id=account, updated_at=clock.now()
        )


def _require_holder_or(actor: Actor, permission: str, card: Card) -> None:
    if actor.name != f"holder:{card.holder_id}":
        actor.require(permission, card.issuing_place)


def _move(
    actor: Actor, verb: str, card: Card, by: CardVerb, *, reason: str = "", detail: dict[str, Any] | None = None
) -> Card:
    """Move a locked card by a verb, with its fact and its standing; nothing where the result stands already."""
    to = rules.move_of(facts_of(card), by)
    if isinstance(to, Blocked):
        raise refuse(to)
    if to == card.state:
        return card
    was = card.state
    card.state_before_loss = was if to is CardState.TEMP_LOST else None
    card.state = to.value
    card.version += 1
    card.updated_at = clock.now()
    card.save(update_fields=("state", "state_before_loss", "version", "updated_at"))
    _record(actor, verb, card, reason=reason, detail={"from": was, "to": to.value, **(detail or {})})
    refresh_standing([card.pk])
    jobs.queue("sharing.tell_watchers", card_id=card.pk)
    return card


def _move_function(
    actor: Actor, verb: str, card: Card, function: Function, by: FunctionVerb, *, reason: str = ""
) -> bool:
    """Move a function of a locked card, with its fact. False where the result stands already."""
    row = CardFunction.objects.get(card=card, function=function.value)
    to = rules.function_move_of(facts_of(card), FunctionState(row.state), by)
    if isinstance(to, Blocked):
        raise refuse(to)
    if to == row.state:
        return False
    was, row.state, row.changed_at = row.state, to.value, clock.now()
    row.save(update_fields=("state", "changed_at"))
    card.version += 1
    card.updated_at = row.changed_at
    card.save(update_fields=("version", "updated_at"))
    _record(actor, verb, card, reason=reason, detail={"function": function.value, "from": was, "to": to.value})
    jobs.queue("sharing.tell_watchers", card_id=card.pk)
    return True


def _require_token(function: Function, token: str) -> None:
    if function is not Function.FINANCIAL or not re.fullmatch(rules.ACCOUNT_FORM, token):
        raise BadInput(
            "ACCOUNT_TOKEN_INVALID",
            "账户令牌须由银行随金融功能的开通给出，且不能是账号。",
            "An account token comes from the bank with the financial function, and is never an account number.",
            next_zh="请向开户银行索取令牌。",
            next_en="Ask the card's bank for the token.",
        )


def _link_account(actor: Actor, card: Card, token: str) -> None:
    """Let the card pay from the account that its bank knows by a token; the fact does not say the token."""
    known = Account.objects.filter(pk=card.pk).first()
    if known is not None and (known.bank_id, known.token) == (card.bank_id, token):
        return
    if Account.objects.filter(bank_id=card.bank_id, token=token).exists():
        raise Conflict(
            "ACCOUNT_LINKED",
            "该账户已与另一张社会保障卡关联。",
            "The account is linked with another card.",
            next_zh="请核对银行给出的令牌，或先注销另一张卡。",
            next_en="Check the bank's token, or cancel the other card first.",
        )
    Account.objects.update_or_create(card_id=card.pk, defaults={"bank_id": card.bank_id, "token": token})
    _record(actor, "link_account", card, detail={"bank": card.bank_id, "replaces": known is not None})


def _record(actor: Actor, verb: str, card: Card, *, reason: str = "", detail: dict[str, Any]) -> None:
    audit.record(actor, f"cards.{verb}", f"card:{card.pk}", place=card.issuing_place, reason=reason, detail=detail)


def _holder_alive(holder_id: int) -> Holder:
    """The holder, locked so that two issues at once see each other's card."""
    holder = Holder.objects.select_for_update(no_key=True).filter(pk=holder_id).first()
    if holder is None:
        raise NotFound(
            "HOLDER_UNKNOWN",
            "没有该持卡人。",
            "There is no such holder.",
            next_zh="请先登记持卡人。",
            next_en="Register the person first.",
        )
    if holder.life != "alive":
        raise Conflict(
            "HOLDER_DECEASED",
            "该人员已登记死亡，不能发卡。",
            "This person is registered as deceased; no card is issued.",
            next_zh="如登记有误，请先更正人员信息。",
            next_en="If that is wrong, have the record corrected first.",
        )
    return holder


def _bank(code: str) -> Party:
    party = Party.objects.filter(code=code, kind=PartyKind.BANK, state=PartyState.ACTIVE).first()
    if party is None:
        raise NotFound(
            "BANK_UNKNOWN",
            f"没有可用的合作银行 {code}。",
            f"There is no active partner bank {code}.",
            next_zh="请选择名录中的合作银行。",
            next_en="Choose a bank of the register.",
        )
    return party


def _no_live_card(holder: Holder, place: str) -> None:
    live = Card.objects.filter(holder=holder, issuing_place=place).exclude(
        state__in=[state.value for state in rules.GONE]
    )
    if live.exists():
        raise Conflict(
            "CARD_LIVE",
            "该人员已持有本地社会保障卡。",
            "This person already has a card of this place.",
            next_zh="如需补换，请先注销原卡。",
            next_en="To replace it, cancel the present one first.",
        )
