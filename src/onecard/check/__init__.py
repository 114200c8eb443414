"""The check (核对): what must always hold, recomputed from what is stored. `onecard check` prints it.

It reads one snapshot in one transaction, so it may run beside any number of writers, and every figure is an aggregate
of the database: it works at millions of uses. A *finding* says one invariant, whether it holds, and the figures behind
it.
"""

from onecard.check.findings import Finding
from onecard.check.running import run

__all__ = ["Finding", "run"]
