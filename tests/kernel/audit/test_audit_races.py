"""An officer who asks for two lists at once: the second is counted after the first."""

import pytest
from django.db import transaction
from tests.kernel.side import WAIT_S, Side

from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict
from onecard.foundation.exports import OPEN_MAX
from onecard.kernel.audit import exports
from onecard.kernel.audit.trail import Wanted

AUDITOR = Actor("staff:77", frozenset({"*"}))


def test_who_asks_for_two_lists_at_once_has_no_fourth_under_way(side: Side) -> None:
    for _ in range(OPEN_MAX - 1):
        exports.ask(AUDITOR, ("",), Wanted())
    with transaction.atomic():
        exports.ask(AUDITOR, ("",), Wanted())
        second = side.start(lambda: exports.ask(AUDITOR, ("",), Wanted()))
        side.wait_for_lock(second)
    with pytest.raises(Conflict, match="EXPORTS_OPEN"):
        second.result(WAIT_S)
