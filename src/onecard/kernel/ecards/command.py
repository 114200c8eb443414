"""`onecard keys rotate-issuer` and `onecard keys withdraw-issuer KID REASON`: the keys that sign codes."""

import argparse

from onecard.foundation.actors import system
from onecard.foundation.errors import NotFound
from onecard.foundation.terminal import say
from onecard.kernel.ecards import actions, queries
from onecard_kit.suites import Purpose


def rotate(arguments: argparse.Namespace) -> int:
    """A new key signs codes from now on; the one before verifies until its codes are through."""
    key = actions.rotate_issuer_key(system("operator"), Purpose(arguments.purpose))
    kid = bytes(key.kid).hex()
    say(f"新签发密钥 {kid} 已启用，旧密钥在重叠期内仍可验签。", f"Key {kid} signs now; the one before still verifies.")
    return 0


def withdraw(arguments: argparse.Namespace) -> int:
    """A stolen key: its codes are refused from now on. `kid` is four hex digits, as rotating printed them."""
    known = {bytes(key.kid).hex(): bytes(key.kid) for key in queries.issuer_keys()}
    kid = known.get(arguments.kid.lower())
    if kid is None:
        raise NotFound(
            "KEY_UNKNOWN",
            f"没有签发密钥 {arguments.kid}。",
            f"There is no issuer key {arguments.kid}.",
            next_zh=f"现有（新的在前）：{'、'.join(known)}。",
            next_en=f"There are, newest first: {', '.join(known)}.",
        )
    actions.withdraw_key(system("operator"), kid, reason=arguments.reason)
    say(f"签发密钥 {kid.hex()} 已吊销，其二维码即刻失效。", f"Key {kid.hex()} is withdrawn; its codes are refused now.")
    return 0
