"""Who acts on the command line; and `onecard staff reset-second-factor USERNAME REASON`, for the administrator who lost
theirs and has no colleague.
"""

import argparse
import getpass
import sys

from django.contrib.auth import authenticate

from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import NotFound, NotPermitted
from onecard.foundation.terminal import say
from onecard.kernel.staff import actions, queries
from onecard.kernel.staff.models import Officer


def acting(arguments: argparse.Namespace) -> Actor:
    """The officer that `--officer` names, once their password is right; else the command line itself."""
    if arguments.officer is None:
        return system("operator")
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    user = authenticate(username=arguments.officer, password=password)
    if user is None:
        raise NotPermitted(
            "PASSWORD_WRONG",
            "用户名或密码不正确。",
            "The user name or the password is wrong.",
            next_zh="请核对后重试。",
            next_en="Check them and try again.",
        )
    return queries.actor_of(user)


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
