"""`onecard terminals pair CODE`: print a pairing code for a terminal."""

import argparse

from onecard.foundation.actors import system
from onecard.foundation.terminal import say
from onecard.kernel.catalogue import actions


def run(arguments: argparse.Namespace) -> int:
    """The code goes to standard output alone, so that a script can take it."""
    code = actions.make_pairing_code(system("operator"), arguments.code)
    say("配对码 24 小时内有效，只能使用一次：", "A pairing code, good once and for 24 hours:")
    print(code)
    return 0
