"""`onecard staff reset-second-factor USERNAME REASON`: for the administrator who lost theirs and has no colleague."""

import argparse

from onecard.foundation.actors import system
from onecard.foundation.errors import NotFound
from onecard.foundation.terminal import say
from onecard.kernel.staff import actions
from onecard.kernel.staff.models import Officer


def reset_second_factor(arguments: argparse.Namespace) -> int:
    """The next sign-in with the password sets up another authenticator."""
    officer = Officer.objects.filter(user__username=arguments.username).first()
    if officer is None:
        raise NotFound(
            "OFFICER_UNKNOWN", f"没有工作人员 {arguments.username}。", f"There is no officer {arguments.username}."
        )
    actions.reset_second_factor(system("operator"), officer, arguments.reason)
    say("已重置，下次登录时重新绑定身份验证器。", "Reset: the next sign-in sets up another authenticator.")
    return 0
