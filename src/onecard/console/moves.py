"""The moves of a card and of its functions as an officer may make them: what each does, and why another is blocked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotFound
from onecard.kernel.cards import actions, rules, words
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import Blocked, CardVerb, FunctionState, FunctionVerb
from onecard.kernel.staff.queries import StaffActor
from onecard_kit.terms import Function

Words = dict[str, str]


@dataclass(frozen=True)
class Kind:
    """A move as it is offered. `danger`: it takes something away; `needs_reason`: it takes one; `checked`: it takes a
    second officer.
    """

    code: str
    permission: str
    name: Words
    does: Words
    verb: CardVerb | FunctionVerb
    function: Function | None = None
    icon: str = "credit-card"
    danger: bool = False
    needs_reason: bool = False
    checked: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no other move leads back."""
        return self.verb in _FINAL


@dataclass(frozen=True)
class Offered:
    """A move of one card: may be made where `why` is empty, else `why` says what is missing."""

    kind: Kind
    why: Words | None


_FINAL = frozenset({CardVerb.REPORT_LOST, CardVerb.LOCK, CardVerb.CANCEL, FunctionVerb.CLOSE})
CARD_KINDS = (
    Kind(
        "complete",
        "cards.complete",
        {"zh": "制卡完成", "en": "Card made"},
        {"zh": "卡片变为“未启用”，可以交给持卡人启用。", "en": "Its holder can have the card activated from now on."},
        CardVerb.COMPLETE,
        icon="check",
    ),
    Kind(
        "report-temporary",
        "cards.report_lost",
        {"zh": "临时挂失", "en": "Report lost for now"},
        {
            "zh": "卡片和电子社保卡立即停用；找到后可以解挂。",
            "en": "Card and e-card stop at once; the report can be lifted if the card is found.",
        },
        CardVerb.REPORT_TEMP_LOST,
        icon="lock",
        danger=True,
    ),
    Kind(
        "report-formal",
        "cards.report_lost",
        {"zh": "正式挂失", "en": "Report lost formally"},
        {
            "zh": "卡片立即停用，不能解挂，只能补领新卡。",
            "en": "The card stops at once. This cannot be lifted: a new card has to be issued.",
        },
        CardVerb.REPORT_LOST,
        icon="lock",
        danger=True,
        needs_reason=True,
    ),
    Kind(
        "unreport",
        "cards.unreport",
        {"zh": "解挂", "en": "Lift the loss report"},
        {"zh": "卡片恢复到挂失前的状态。", "en": "The card returns to the state it had before."},
        CardVerb.UNREPORT,
        icon="lock-open",
    ),
    Kind(
        "lock",
        "cards.lock",
        {"zh": "锁定", "en": "Lock"},
        {"zh": "卡片停用，之后只能注销。", "en": "The card stops; afterwards it can only be cancelled."},
        CardVerb.LOCK,
        icon="lock",
        danger=True,
        needs_reason=True,
    ),
    Kind(
        "cancel",
        "cards.cancel",
        {"zh": "注销", "en": "Cancel"},
        {
            "zh": "卡片和全部功能永久关闭，不能恢复。须两人办理。",
            "en": "The card and all its functions end for good. It takes two officers.",
        },
        CardVerb.CANCEL,
        icon="x",
        danger=True,
        needs_reason=True,
        checked=True,
    ),
)

# A verb, its name, what it does, its icon, and whether it takes something away.
_FUNCTION_VERBS: tuple[tuple[FunctionVerb, Words, Words, str, bool], ...] = (
    (
        FunctionVerb.ACTIVATE,
        {"zh": "开通", "en": "Activate"},
        {"zh": "该功能从现在起可以使用。", "en": "The function works from now on."},
        "check",
        False,
    ),
    (
        FunctionVerb.SUSPEND,
        {"zh": "暂停", "en": "Suspend"},
        {"zh": "该功能停用，可以重新开通。", "en": "The function rests until it is activated again."},
        "lock",
        True,
    ),
    (
        FunctionVerb.CLOSE,
        {"zh": "关闭", "en": "Close"},
        {
            "zh": "该功能永久关闭，只有换领新卡才能恢复。",
            "en": "The function ends for good; only a new card brings it back.",
        },
        "x",
        True,
    ),
)


def _function_kind(function: Function, verb: FunctionVerb, name: Words, does: Words, icon: str, ends: bool) -> Kind:
    told = words.FUNCTIONS[function]
    return Kind(
        code=f"{verb.value}-{function.value.replace('_', '-')}",
        permission=f"cards.{verb.value}_function",
        name={"zh": name["zh"] + told["zh"], "en": f"{name['en']}: {told['en'].lower()}"},
        does=does,
        verb=verb,
        function=function,
        icon=icon,
        danger=ends,
        needs_reason=ends,
    )


FUNCTION_KINDS = tuple(_function_kind(function, *row) for function in Function for row in _FUNCTION_VERBS)
KINDS = {kind.code: kind for kind in (*CARD_KINDS, *FUNCTION_KINDS)}
WHOLE_CARD: Words = {"zh": "整张卡", "en": "Whole card"}
STANDS_ALREADY: Words = {"zh": "现在已经是这个结果。", "en": "It stands so already."}


def kind_of(code: str) -> Kind:
    """The move of a code in an address. Raises NotFound MOVE_UNKNOWN."""
    if code not in KINDS:
        raise NotFound("MOVE_UNKNOWN", "没有这种业务。", "There is no such move.")
    return KINDS[code]


def offered(actor: StaffActor, card: Card) -> list[Offered]:
    """Every move of a card, functions loaded: whether this officer may make it now, and if not why."""
    return [Offered(kind, why_not(actor, card, kind)) for kind in (*CARD_KINDS, *FUNCTION_KINDS)]


def grouped(moves: Iterable[Offered]) -> list[tuple[Words, list[Offered]]]:
    """Moves by what they are about, the card as a whole first; those that nothing leads back from come last in each."""
    in_order = sorted(moves, key=lambda each: each.kind.is_final)
    about: list[tuple[Function | None, Words]] = [(None, WHOLE_CARD), *words.FUNCTIONS.items()]
    groups = ((name, [each for each in in_order if each.kind.function == key]) for key, name in about)
    return [(name, found) for name, found in groups if found]


def why_not(actor: StaffActor, card: Card, kind: Kind) -> Words | None:
    """What keeps an officer from a move: the card's state first, then a permission that is missing."""
    came_to, now = _came_to(card, kind)
    if isinstance(came_to, Blocked):
        return {"zh": came_to.zh + came_to.next_zh, "en": f"{came_to.en} {came_to.next_en}"}
    if came_to == now:
        return STANDS_ALREADY
    if actor.reaches(kind.permission, card.issuing_place):
        return None
    needed = kind.permission
    return {
        "zh": f"需要“{needed}”权限，您在该卡发卡地没有。",
        "en": f"It takes the permission {needed} where the card was issued.",
    }


def _came_to(card: Card, kind: Kind) -> tuple[str | Blocked, str]:
    facts = actions.facts_of(card)
    if kind.function is None:
        assert isinstance(kind.verb, CardVerb)
        return rules.move_of(facts, kind.verb), card.state
    assert isinstance(kind.verb, FunctionVerb)
    state = next(each.state for each in card.functions.all() if each.function == kind.function)
    return rules.function_move_of(facts, FunctionState(state), kind.verb), state


def make(actor: Actor, card_id: int, kind: Kind, reason: str, checker: Actor | None = None) -> None:
    """Make a move. Raises what the verb raises."""
    _MAKE[kind.verb](actor, card_id, kind, reason, checker)


def _cancel(actor: Actor, card_id: int, kind: Kind, reason: str, checker: Actor | None) -> object:
    assert checker is not None
    return actions.cancel(actor, card_id, approved_by=checker, reason=reason)


def _function(kind: Kind) -> Function:
    assert kind.function is not None
    return kind.function


_MAKE: dict[CardVerb | FunctionVerb, Callable[[Actor, int, Kind, str, Actor | None], object]] = {
    CardVerb.COMPLETE: lambda actor, card, kind, reason, checker: actions.complete(actor, card),
    CardVerb.REPORT_TEMP_LOST: lambda actor, card, kind, reason, checker: actions.report_lost(
        actor, card, "temporary", reason=reason
    ),
    CardVerb.REPORT_LOST: lambda actor, card, kind, reason, checker: actions.report_lost(
        actor, card, "formal", reason=reason
    ),
    CardVerb.UNREPORT: lambda actor, card, kind, reason, checker: actions.unreport(actor, card),
    CardVerb.LOCK: lambda actor, card, kind, reason, checker: actions.lock(actor, card, reason=reason),
    CardVerb.CANCEL: _cancel,
    FunctionVerb.ACTIVATE: lambda actor, card, kind, reason, checker: actions.activate_function(
        actor, card, _function(kind)
    ),
    FunctionVerb.SUSPEND: lambda actor, card, kind, reason, checker: actions.suspend_function(
        actor, card, _function(kind), reason=reason
    ),
    FunctionVerb.CLOSE: lambda actor, card, kind, reason, checker: actions.close_function(
        actor, card, _function(kind), reason=reason
    ),
}
