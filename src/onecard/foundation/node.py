"""Which node (节点) a process is of: the division (GB/T 2260, six digits) whose cards, codes and money it holds."""

import os
from collections.abc import Mapping

ENVIRONMENT = "ONECARD_NODE"
SAMPLE = "320600"
"""Of the sample city, where no other is named."""


def code(environment: Mapping[str, str] | None = None) -> str:
    """The node that `environment`, or else the process's own, names."""
    return (os.environ if environment is None else environment).get(ENVIRONMENT, SAMPLE)
