"""What a client does about the terminals at its own points: stop one that went missing, let it serve again."""

from django.db import transaction

from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict, NotFound
from onecard.kernel.catalogue import actions
from onecard.kernel.catalogue.models import State, Terminal
from onecard.kernel.sharing.queries import Caller


@transaction.atomic
def suspend(caller: Caller, code: str, reason: str) -> Terminal:
    """Refuse uses at one of the client's own terminals from this commit on. Repeating it changes nothing.

    Raises NotFound TERMINAL_UNKNOWN, Conflict ENDED.
    """
    _own(caller, code)
    actions.suspend(_acting(caller), "terminal", code, reason)
    return _own(caller, code)


@transaction.atomic
def resume(caller: Caller, code: str, reason: str) -> Terminal:
    """Let a terminal serve again that the client suspended itself. Repeating it changes nothing.

    Raises NotFound TERMINAL_UNKNOWN, Conflict SUSPENDED_BY_OFFICE, ENDED.
    """
    terminal = _own(caller, code)
    if terminal.state == State.SUSPENDED and terminal.suspended_by != caller.actor.name:
        raise Conflict(
            "SUSPENDED_BY_OFFICE",
            "该终端由管理部门停用，不能自行恢复。",
            "The one-card office suspended this terminal; it is not yours to resume.",
            next_zh="请联系本市一卡通管理部门。",
            next_en="Ask the city's one-card office.",
        )
    actions.resume(_acting(caller), "terminal", code, reason)
    return _own(caller, code)


def _own(caller: Caller, code: str) -> Terminal:
    """A terminal at one of a client's points, locked. Another client's is not there."""
    found = Terminal.objects.select_related("point").select_for_update(no_key=True, of=("self",))
    terminal = found.filter(code=code, point__client_id=caller.client_id).first()
    if terminal is None:
        raise NotFound(
            "TERMINAL_UNKNOWN",
            f"您没有终端 {code}。",
            f"You have no terminal {code}.",
            next_zh="终端清单见 /v1/terminals。",
            next_en="See /v1/terminals for what there is.",
        )
    return terminal


def _acting(caller: Caller) -> Actor:
    """The client, which may do this to what was just found to be its own."""
    return Actor(caller.actor.name, frozenset({"catalogue.suspend", "catalogue.resume"}))
