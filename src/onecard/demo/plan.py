"""What the steps of loading share: how many people, from which seed, on which day, and whom to tell."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Protocol

from onecard.foundation.actors import system

ACTOR = system("demo")


class Progress(Protocol):
    """Tells people how far it is, in Chinese and English."""

    def __call__(self, zh: str, en: str = "", /) -> None: ...


@dataclass(frozen=True)
class Plan:
    """One load of the city."""

    holders: int
    seed: int
    today: dt.date
    progress: Progress

    def rng(self, step: str) -> random.Random:
        """A step's own random numbers: the same whether the steps before it ran now or last week."""
        return random.Random(f"onecard-{step}-{self.seed}")  # noqa: S311 - invented people, no secret

    def tell(self, done: int, total: int) -> None:
        """Tell how many are done."""
        self.progress(f"  {done:,} / {total:,}")
