"""Who acts on the command line; and `onecard staff reset-second-factor USERNAME REASON`, for the administrator who lost
theirs and has no colleague.
"""

import argparse
import getpass
import sys

from allauth.core.context import request_context
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import NotFound, NotPermitted
from onecard.foundation.terminal import say, speaks_chinese
from onecard.kernel.signins import factors
from onecard.kernel.signins.models import User
from onecard.kernel.staff import actions, proving, queries
from onecard.kernel.staff.models import Officer


def acting(arguments: argparse.Namespace) -> Actor:
    """The officer that `--officer` names, once their password and the code of their authenticator are right, as at the
    console's sign-in; else the command line itself. Without a terminal the two are lines of standard input.

    Raises NotPermitted SIGN_IN_WRONG, SECOND_FACTOR_MISSING, NOT_STAFF.
    """
    if arguments.officer is None:
        return system("operator")
    password, code = _asked("密码：", "Password: "), _asked("验证码：", "Authenticator code: ")
    known = User.objects.filter(username=arguments.officer).first()
    if known is not None and known.check_password(password) and factors.authenticator_of(known) is None:
        raise NotPermitted(
            "SECOND_FACTOR_MISSING",
            "该工作人员还没有绑定身份验证器。",
            "This officer has not set up an authenticator yet.",
            next_zh="请先登录管理端绑定；命令行不能用通行密钥。",
            next_en="Set one up in the console first; the command line takes no passkey.",
        )
    return queries.actor_of(_proven(arguments.officer, password, code))


def _proven(username: str, password: str, code: str) -> User:
    """As the console judges it, under the same limits."""
    request = HttpRequest()
    request.method = "POST"
    request.META |= {"REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "localhost", "SERVER_PORT": "0"}
    with request_context(request):
        try:
            user = proving.proven(request, username, password, code)
        except ValidationError:
            raise _wrong() from None
    if user is None:
        raise _wrong()
    return user


def _asked(zh: str, en: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(zh if speaks_chinese() else en)
    return sys.stdin.readline().rstrip("\n")


def _wrong() -> NotPermitted:
    """One sentence for every way in which the three may not fit."""
    return NotPermitted(
        "SIGN_IN_WRONG",
        "用户名、密码或验证码不正确，或验证码已用过。",
        "The user name, the password or the authenticator code is wrong, or the code was used before.",
        next_zh="请核对，并等待身份验证器显示下一个验证码后重试。",
        next_en="Check them, and try again with the next code that the authenticator shows.",
    )


def reset_second_factor(arguments: argparse.Namespace) -> int:
    """The next sign-in with the password sets up another second factor."""
    officer = Officer.objects.filter(user__username=arguments.username).first()
    if officer is None:
        raise NotFound(
            "OFFICER_UNKNOWN", f"没有工作人员 {arguments.username}。", f"There is no officer {arguments.username}."
        )
    actions.reset_second_factor(system("operator"), officer, arguments.reason)
    say("已重置，下次登录时重新设置第二步验证。", "Reset: the next sign-in sets up another second factor.")
    return 0
