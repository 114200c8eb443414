"""Settings that are whole numbers, from the environment. What is missing has its default, what is wrong ends a process
with one sentence.
"""

from collections.abc import Mapping

from onecard.foundation.errors import Unavailable


def whole_number(environment: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """The number that a variable holds, `default` where it is unset. Raises Unavailable SETTING_INVALID."""
    written = environment.get(name, str(default))
    if not (written.isascii() and written.isdigit() and least <= int(written) <= most):
        raise Unavailable(
            "SETTING_INVALID",
            f"{name} 应为 {least} 至 {most} 的整数。",
            f"{name} is to be a whole number from {least} to {most}.",
            next_zh="请改正后重新启动。",
            next_en="Correct it and start again.",
        )
    return int(written)
