"""`onecard keys rotate-issuer`: a new key signs codes from now on; the one before verifies until its codes are
through."""

import argparse

from onecard.foundation.actors import system
from onecard.foundation.terminal import say
from onecard.kernel.ecards import actions


def run(arguments: argparse.Namespace) -> int:
    key = actions.rotate_issuer_key(system("operator"))
    kid = bytes(key.kid).hex()
    say(f"新签发密钥 {kid} 已启用，旧密钥在重叠期内仍可验签。", f"Key {kid} signs now; the one before still verifies.")
    return 0
