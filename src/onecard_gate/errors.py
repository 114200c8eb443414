"""What stops a command: a sentence in both languages and the status it exits with. A refusal at the gate is no error.

GateError
├── NotPaired      there is no terminal in the folder
├── BadConfig      gate.toml or a kept file is not as it must be
├── Unreachable    the platform gave no answer, or none that can be used
└── Told           the platform answered with a problem: its own code and words
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class GateError(Exception):
    """`code` is stable; `zh` and `en` say what it is, what to do included."""

    exit_status: ClassVar[int] = 2

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


class NotPaired(GateError):
    exit_status = 4

    def __init__(self) -> None:
        super().__init__(
            "NOT_PAIRED",
            "本机尚未配对，请运行：onecard-gate pair 网关地址 配对码",
            "This gate is not paired; run: onecard-gate pair URL PAIRING_CODE",
        )


class BadConfig(GateError):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__("BAD_CONFIG", zh, en)


class Unreachable(GateError):
    """Nothing is known of what became of the request."""

    exit_status = 3

    def __init__(self, why: str) -> None:
        super().__init__("UNREACHABLE", f"平台没有应答：{why}", f"The platform did not answer: {why}")


class Told(GateError):
    """A problem (RFC 9457) of the platform; nothing was recorded. `status` is HTTP's."""

    exit_status = 3

    def __init__(self, status: int, code: str, words: Mapping[str, Any]) -> None:
        super().__init__(code, str(words.get("zh", code)), str(words.get("en", code)))
        self.status = status
        self.next_zh, self.next_en = str(words.get("next_zh", "")), str(words.get("next_en", ""))
