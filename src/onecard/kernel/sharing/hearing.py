"""What a client may hear: a message tells no more than the client could ask for at that moment."""

from collections.abc import Iterable

from onecard.foundation import clock
from onecard.kernel.catalogue.models import State
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.sharing.scopes import SCOPE_OF

CLIENT = "client:"


def may_hear(receivers: Iterable[str]) -> set[tuple[str, str]]:
    """Of some receivers, each with every kind of message that is agreed with it today; who is suspended hears none."""
    codes = {receiver.removeprefix(CLIENT) for receiver in receivers}
    agreed = Agreement.in_force(clock.today()).filter(client__code__in=codes, client__state=State.ACTIVE)
    scopes = set(agreed.values_list("client__code", "scope"))
    return {
        (CLIENT + code, kind.value) for code in codes for kind, scope in SCOPE_OF.items() if (code, scope) in scopes
    }
