"""Which suite (算法套件) a node makes its new keys of: ONECARD_SUITE says `ed25519`, the default, or `sm2` (国密).

What exists keeps its own algorithm: an issuer's key its suite, a terminal's key its MAC, a ring's key its cipher. So a
node may change its setting at any time, and both kinds go on side by side until the old keys have run out.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from onecard.foundation.errors import Unavailable
from onecard_kit.requests import HMAC_SHA256, HMAC_SM3, Mac
from onecard_kit.suites import ED25519, SM2, SUITES, Suite

ENVIRONMENT = "ONECARD_SUITE"


@dataclass(frozen=True)
class NodeSuite:
    """What new keys are for: `signature` of codes, `mac` of terminals' requests, `cipher` of sealed values (one of
    `crypto.CIPHERS`).
    """

    signature: Suite
    mac: Mac
    cipher: str


NODE_SUITES = {
    ED25519.name: NodeSuite(ED25519, HMAC_SHA256, "aes-256-gcm"),
    SM2.name: NodeSuite(SM2, HMAC_SM3, "sm4-gcm"),
}


def of_node(environment: Mapping[str, str] | None = None) -> NodeSuite:
    """The suite of this node. Raises Unavailable SUITE_UNKNOWN, or SUITE_MISSING where this machine cannot do it."""
    environment = os.environ if environment is None else environment
    named = environment.get(ENVIRONMENT) or ED25519.name
    found = NODE_SUITES.get(named)
    if found is None:
        raise Unavailable(
            "SUITE_UNKNOWN",
            f"没有名为 {named} 的算法套件（{ENVIRONMENT}）。",
            f"There is no suite named {named} ({ENVIRONMENT}).",
            next_zh=f"请设为以下之一：{'、'.join(NODE_SUITES)}。",
            next_en=f"Set it to one of: {', '.join(NODE_SUITES)}.",
        )
    signature_suite(named)
    return found


def signature_suite(name: str) -> Suite:
    """The suite that an issuer's key names. Raises Unavailable SUITE_MISSING where this machine cannot do it."""
    found = SUITES.get(name)
    if found is None or not found.is_ready():
        raise Unavailable(
            "SUITE_MISSING",
            f"本机不能使用算法套件 {name}：缺少支持国密算法的 OpenSSL 3（libcrypto.so.3）。",
            f"This machine cannot do the suite {name}: it has no OpenSSL 3 (libcrypto.so.3) that knows SM2.",
            next_zh=f"请安装系统软件包 libssl3，或将 {ENVIRONMENT} 设为 ed25519。",
            next_en=f"Install the system package libssl3, or set {ENVIRONMENT} to ed25519.",
        )
    return found
